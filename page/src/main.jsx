// The page of a trace. What it shows is a function of `view` and the trace; a change of `view` draws it at once, so that no key is
// lost between two frames. The step and the settings are in the address.
import { render } from 'preact';
import { Icon } from './icons.jsx';
import { Now } from './now.jsx';
import { Program } from './program.jsx';
import { Runner } from './runner.jsx';
import { State } from './state.jsx';
import { Steps } from './steps.jsx';
import { Timeline } from './timeline.jsx';
import { Trace } from './trace.js';
import { Tip, glossary, plain } from './words.jsx';

const trace = new Trace(JSON.parse(document.getElementById('trace').textContent));
const LANGUAGES = ['en', 'zh'];
const SPEEDS = [0.5, 1, 2, 4];
const narrow = innerWidth < 760;
const glossaries = Object.fromEntries(LANGUAGES.map((language) => [language, glossary(trace.words[language])]));

const view = {
  k: 0,
  language: trace.language ?? (navigator.language?.startsWith('zh') ? 'zh' : 'en'),
  theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
  runner: narrow ? 'python' : 'rust',
  columns: narrow || innerWidth >= 1600,
  /// The source that is shown, if not that of the step.
  file: undefined,
  breakpoints: new Set(),
  playing: false,
  speed: 1,
  /// The question that stands in place of the sentence, and what was answered.
  asking: undefined,
  asked: new Set(),
  help: false,
  tip: undefined,
  printing: false,
};

const clamp = (k) => Math.max(0, Math.min(trace.n - 1, k));

/// Changes the view and draws it.
function set(changes) {
  Object.assign(view, changes);
  const root = document.documentElement;
  // Each of these makes the browser style everything anew.
  if (root.dataset.theme !== view.theme) root.dataset.theme = view.theme;
  const tag = view.language === 'zh' ? 'zh-Hans' : 'en';
  if (root.lang !== tag) root.lang = tag;
  render(<App />, document.getElementById('page'));
  clearTimeout(set.later);
  set.later = setTimeout(writeAddress, 250);
}

function writeAddress() {
  const { k, language, theme, runner, columns } = view;
  const address = `#step=${k + 1}&lang=${language}&theme=${theme}&runner=${runner}&timeline=${columns ? 'columns' : 'lanes'}`;
  if (address !== location.hash) history.replaceState(null, '', address);
}

/// What an address says, as far as it says something.
function readAddress({ hash }) {
  const said = new URLSearchParams(hash.slice(1));
  const one = (name, choices) => (choices.includes(said.get(name)) ? said.get(name) : undefined);
  const changes = {
    k: said.has('step') ? clamp(Math.floor(+said.get('step')) - 1 || 0) : undefined,
    language: one('lang', LANGUAGES),
    theme: one('theme', ['light', 'dark']),
    runner: one('runner', ['rust', 'python']),
    columns: said.has('timeline') ? said.get('timeline') === 'columns' : undefined,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

const to = (k) => set({ k: clamp(k), asking: undefined, file: undefined, tip: undefined });

function step() {
  if (view.asking) {
    view.asked.add(view.asking.ask);
  } else {
    const ask = trace.asks.find((ask) => ask.before === view.k + 1 && !view.asked.has(ask));
    if (ask) {
      play(false);
      return set({ asking: { ask, given: undefined }, tip: undefined });
    }
  }
  to(view.k + 1);
  if (view.k === trace.n - 1 || (view.playing && stopsAt(view.k))) play(false);
}

function turn(way) {
  to(way > 0 ? (trace.turns.find((t) => t > view.k) ?? trace.n - 1) : (trace.turns.findLast((t) => t < view.k) ?? 0));
}

/// Whether a step comes to a line that has a breakpoint.
function stopsAt(k) {
  const { at, actor } = trace.steps[k];
  const before = trace.steps[k - 1];
  if (!at || !view.breakpoints.has(at.join(':'))) return false;
  return !before?.at || before.at.join() !== at.join() || before.actor !== actor;
}

function toBreakpoint() {
  let k = view.k + 1;
  while (k < trace.n - 1 && !stopsAt(k)) k += 1;
  to(k);
}

function play(on) {
  clearInterval(play.timer);
  if (on) play.timer = setInterval(step, 900 / view.speed);
  if (on !== view.playing) set({ playing: on });
}

const actions = {
  to,
  step,
  view: set,
  show: (file) => set({ file }),
  answer: (given) => set({ asking: { ...view.asking, given } }),
  toggle(file, line) {
    const name = `${file}:${line}`;
    if (!view.breakpoints.delete(name)) view.breakpoints.add(name);
    set({});
  },
};

const KEYS = {
  Home: () => to(0),
  End: () => to(trace.n - 1),
  c: toBreakpoint,
  r: () => set({ runner: view.runner === 'rust' ? 'python' : 'rust' }),
  t: () => set({ columns: !view.columns }),
  l: () => set({ language: view.language === 'en' ? 'zh' : 'en', tip: undefined }),
  d: () => set({ theme: view.theme === 'dark' ? 'light' : 'dark' }),
  '?': () => set({ help: !view.help }),
  Escape() {
    if (view.tip) set({ tip: undefined });
    else if (view.help) set({ help: false });
    else if (view.asking) step();
  },
};

addEventListener('keydown', (event) => {
  const { tagName, type } = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || tagName === 'SELECT' || (type === 'range' && event.key.length > 1 && event.key !== 'Escape')) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  let act = KEYS[key];
  if (key === 'ArrowRight') act = event.shiftKey ? () => turn(1) : step;
  else if (key === 'ArrowLeft') act = event.shiftKey ? () => turn(-1) : () => to(view.k - 1);
  // On a button the space bar presses it.
  else if (key === ' ') act = tagName === 'BUTTON' ? undefined : () => play(!view.playing);
  else if (view.asking && view.asking.given === undefined && +key >= 1 && +key <= view.asking.ask.options.length) act = () => actions.answer(+key - 1);
  if (!act) return;
  event.preventDefault();
  act();
});

// Explanations of words: under the pointer, and where the focus is. They stay while the pointer is on them.
function explain(event) {
  if (event.target.closest?.('.tip')) return;
  const term = event.target.closest?.('[data-word]');
  const { word } = term?.dataset ?? {};
  if (word === view.tip?.word) return;
  const { left, top, bottom } = term?.getBoundingClientRect() ?? {};
  set({ tip: word && { word, left, top, bottom } });
}
addEventListener('pointerover', explain);
addEventListener('focusin', explain);
// The address that was asked for: meanwhile the page may have written its own.
addEventListener('hashchange', ({ newURL }) => set({ ...readAddress(new URL(newURL)), asking: undefined, file: undefined }));
addEventListener('beforeprint', () => set({ printing: true }));
addEventListener('afterprint', () => set({ printing: false }));

/// All that the panes draw from.
function pageNow() {
  const { k, language, breakpoints, asking, tip } = view;
  const step = trace.steps[k];
  // Where a step has no line, what acts stays where it was.
  const state = trace.stateAt(k);
  const at = step.at ?? state.coroutines[step.actor]?.at ?? state.loop_at;
  const file = view.file ?? at?.[0] ?? 0;
  return { trace, k, step: at === step.at ? step : { ...step, at }, state, file, view, actions, breakpoints, asking, tip, words: trace.words[language], ...glossaries[language] };
}

function App() {
  const page = pageNow();
  const { k, words } = page;
  const { language, theme, columns, playing, speed, help } = view;
  const Button = ({ name, act, disabled }) => <button class={name} onClick={act} disabled={disabled} aria-label={words[name]} title={words[name]}><Icon name={name} /></button>;
  const other = language === 'en' ? 'zh' : 'en';
  return (
    <main class={columns ? 'tall' : 'wide'}>
      <header>
        <h1>{trace.name}</h1>
        <p class="about">{trace.about?.[language]}</p>
        <nav aria-label={words.settings}>
          <button onClick={KEYS.l} lang={other === 'zh' ? 'zh-Hans' : 'en'}>{trace.words[other].language_name}</button>
          <button onClick={KEYS.d} aria-label={words.theme} title={words.theme}><Icon name={theme === 'dark' ? 'sun' : 'moon'} /></button>
          <button onClick={KEYS['?']} aria-expanded={help}>{words.help}</button>
        </nav>
      </header>
      {help ? <Help words={words} /> : null}
      <Now page={page} />
      <div class="panes"><Program page={page} /><Runner page={page} /><State page={page} /></div>
      <Timeline page={page} k={k} columns={columns} />
      <footer>
        <Button name="first" act={KEYS.Home} disabled={!k} />
        <Button name="turnBack" act={() => turn(-1)} disabled={!k} />
        <Button name="back" act={() => to(k - 1)} disabled={!k} />
        <button class="primary" onClick={step}>{words.step} <Icon name="step" /></button>
        <Button name="turn" act={() => turn(1)} />
        <Button name="last" act={KEYS.End} />
        <input type="range" min="0" max={trace.n - 1} value={k} aria-label={words.step} aria-valuetext={`${k + 1} / ${trace.n}: ${plain(trace, trace.says(k, language)[0])}`} onInput={(event) => to(+event.target.value)} />
        <Button name={playing ? 'pause' : 'play'} act={() => play(!playing)} />
        <select aria-label={words.speed} value={speed} onChange={(event) => { set({ speed: +event.target.value }); play(playing); }}>{SPEEDS.map((times) => <option value={times}>{times}×</option>)}</select>
        <Button name="toBreakpoint" act={toBreakpoint} disabled={!view.breakpoints.size} />
      </footer>
      {view.printing ? <Steps page={page} /> : null}
      <Tip page={page} />
    </main>
  );
}

/// The keys, and the words that are explained.
const Help = ({ words }) => (
  <section class="help" tabIndex="0" aria-label={words.help}>
    <dl class="keys">{words.keys.map(([key, does]) => <div><dt><kbd>{key}</kbd></dt><dd>{does}</dd></div>)}</dl>
    <dl class="glossary">{Object.entries(words.explained).map(([word, { forms, text }]) => <div><dt>{words[word] ?? forms[0]}</dt><dd>{text}</dd></div>)}</dl>
  </section>
);

document.title = `${trace.name} · squall`;
set(readAddress(location));
performance.mark('drawn');
