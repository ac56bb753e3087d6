// The Runner's own lines: what it does now, what it went through since the last step, and where the program runs in it.
import { Line, Lines } from './code.jsx';
import { Call, Term } from './words.jsx';

export function Runner({ page }) {
  const { trace, step, words, view, actions } = page;
  // On paper the twenty lines are enough.
  const language = view.printing ? 'python' : view.runner;
  const marks = trace.marks[step.mark][language];
  const whose = step.actor;
  const has = (list, line) => list?.includes(line);
  return (
    <section class="pane runner">
      <h2>
        <Term page={page} word="runner" />
        <small>{whose ? <Call page={page} call={whose} /> : words.loop}</small>
        <span class="choice" role="group" aria-label={words.runner}>
          {['rust', 'python'].map((other) => (
            <button aria-pressed={other === language} onClick={() => actions.view({ runner: other })}>{words[other]}</button>
          ))}
        </span>
      </h2>
      <Lines label={words.runner} step={page.k} of={language} seek={['.lit', '.inside', '.passed']}>
        {trace.runner[language].map(({ file, id, number, text }) => {
          const name = id === undefined ? 'fold' : has(marks.lit, id) ? 'lit' : has(marks.inside, id) ? 'inside' : has(marks.passed, id) ? 'passed' : '';
          const line = <Line class={name} look={name + words.language} text={text} language={language} narrow number={<span class="number">{number ?? ''}</span>} mark={<Heard name={name} words={words} />} />;
          return file ? [<div class="file">{file}</div>, line] : line;
        })}
      </Lines>
      <p class="key" aria-hidden="true"><i class="lit" />{words.lit}<i class="passed" />{words.passed}<i class="inside" />{words.inside}</p>
    </section>
  );
}

/// For those who hear the page.
const Heard = ({ name, words }) => (name && words[name] ? <span class="heard">{words[name]}</span> : null);
