// Sentences, names, and words that explain themselves.
import { Icon } from './icons.jsx';

/// The states of coroutines that have a sign; that one runs, or is over, its colours say.
const SIGNS = new Set(['calling', 'ready', 'waiting', 'cancelled', 'failed']);

/// The name of a call, in its colour; its status as a sign, an outline, and a word for those who hear the page.
export function Call({ page, call, status }) {
  const { trace, words } = page;
  return (
    <span class={'call ' + (status ?? '')} style={trace.hue(call)}>
      {SIGNS.has(status) ? <Icon name={status} size={11} /> : null}
      {trace.label(call)}
      {status ? <span class="heard"> {words[status]}</span> : null}
    </span>
  );
}

export function Future({ page, future }) {
  const name = page.trace.futures[future];
  return <span class="future" style={name?.call ? page.trace.hue(name.call) : ''}>{name?.label}</span>;
}

/// A word with its explanation, under the pointer and by keyboard.
export const Term = ({ page, word, children }) => (
  <span class="term" tabIndex="0" data-word={word} aria-describedby={page.tip?.word === word ? 'tip' : undefined}>
    {children ?? page.words[word]}
  </span>
);

/// The explanation that is open.
export function Tip({ page }) {
  const { tip, words } = page;
  if (!tip) return null;
  const width = Math.min(300, innerWidth - 16);
  const left = Math.max(8, Math.min(tip.left, innerWidth - width - 8));
  const place = tip.bottom + 130 > innerHeight ? `bottom:${innerHeight - tip.top + 4}px` : `top:${tip.bottom + 4}px`;
  return <div class="tip" id="tip" role="tooltip" style={`left:${left}px;width:${width}px;${place}`}>{words.explained[tip.word].text}</div>;
}

/// A sentence: a list of texts, calls, Futures and code. Each word that can be explained is, where it first stands.
export function Said({ page, parts, seen = new Set() }) {
  return parts.map((part) => {
    if (typeof part === 'string') return page.glossary ? part.split(page.glossary).map((text) => term(page, text, seen)) : part;
    if (part.call) return <Call page={page} call={part.call} />;
    if (part.future) return <Future page={page} future={part.future} />;
    return <b class="value">{part.code}</b>;
  });
}

function term(page, text, seen) {
  const word = page.terms.get(text.toLowerCase());
  if (!word || seen.has(word)) return text;
  seen.add(word);
  return <Term page={page} word={word}>{text}</Term>;
}

/// A sentence as text.
export const plain = (trace, parts) =>
  parts.map((part) => (typeof part === 'string' ? part : part.call ? trace.label(part.call) : part.future ? (trace.futures[part.future]?.label ?? '') : part.code)).join('');

/// What finds the words that are explained, longest first, and what each stands for.
export function glossary(words) {
  const terms = new Map();
  for (const [word, { forms }] of Object.entries(words.explained)) for (const form of forms) terms.set(form.toLowerCase(), word);
  const escaped = [...terms.keys()].sort((a, b) => b.length - a.length).map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  // Between Latin letters a word ends at a boundary; Chinese has none.
  const whole = escaped.map((form) => (/^[a-z]/i.test(form) ? `\\b${form}\\b` : form));
  return { terms, glossary: escaped.length ? new RegExp(`(${whole.join('|')})`, 'i') : null };
}
