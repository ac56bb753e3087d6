// Every step as a row: for paper, where nothing can be stepped.
import { Said } from './words.jsx';

const MOST = 600; // Of a longer trace those around the current step are printed.

export function Steps({ page }) {
  const { trace, words, view, k } = page;
  const from = trace.n > MOST ? Math.max(0, Math.min(k - MOST / 2, trace.n - MOST)) : 0;
  const steps = trace.steps.slice(from, from + MOST);
  const quiet = { ...page, glossary: null };
  return (
    <table class="steps">
      <thead><tr><th>{words.step}</th><th>{words.turns}</th><th>{words.what}</th></tr></thead>
      <tbody>
        {steps.map((step, i) => {
          const [what, why] = trace.says(from + i, view.language);
          return <tr class={from + i === k ? 'this' : ''}><td>{from + i + 1}</td><td>{step.turn}</td><td><b><Said page={quiet} parts={what} /></b> <Said page={quiet} parts={why} /></td></tr>;
        })}
      </tbody>
    </table>
  );
}
