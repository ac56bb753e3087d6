// The state after a step: the loop and its queues, locks, Futures, variables, what was printed.
import { Component, createRef } from 'preact';
import { Icon } from './icons.jsx';
import { Call, Future, Term } from './words.jsx';

const FUTURES = 40; // At most so many are shown, the newest.
const PRINTED = 50; // At most so many lines are shown, the newest.

export function State({ page }) {
  return (
    <div class="state" tabIndex="0" role="region" aria-label={page.words.state}>
      <Loop page={page} />
      <Locks page={page} />
      <Jobs page={page} />
      <Variables page={page} />
      <Futures page={page} />
      <Printed page={page} />
    </div>
  );
}

const values = (map) => Object.values(map ?? {});
const None = ({ children }) => <i class="none">{children}</i>;

function Loop({ page }) {
  const { state, words } = page;
  const ready = Object.entries(state.ready).map(([place, entry]) => ({ ...entry, now: +place <= state.this_turn }));
  const row = (entries) => (entries.length ? entries.map((entry) => <Ready page={page} entry={entry} />) : <None>{words.empty}</None>);
  return (
    <section class="pane loop">
      <h2><Term page={page} word="loop" /><small>{state.time}</small></h2>
      <dl>
        <dt><Term page={page} word="stack" /></dt>
        <dd>
          <span class="call loop">{words.loop_short}</span>
          {state.stack.map((call, i) => <><span aria-hidden="true">›</span><Call page={page} call={call} status={i === state.stack.length - 1 ? 'running' : 'calling'} /></>)}
          {state.functions.map(({ name }) => <><span aria-hidden="true">›</span><span class="chip"><code>{name}</code></span></>)}
        </dd>
        <dt><Term page={page} word="this_turn" /></dt>
        <dd class="queue">{row(ready.filter((entry) => entry.now))}</dd>
        <dt><Term page={page} word="next_turn" /></dt>
        <dd class="queue">{row(ready.filter((entry) => !entry.now))}</dd>
        <dt><Term page={page} word="timers" /></dt>
        <dd><Timers page={page} /></dd>
      </dl>
    </section>
  );
}

/// What is to be called: a coroutine, what settles a Future, or a function.
function Callback({ page, call, future, name, status }) {
  if (call) return <Call page={page} call={call} status={status} />;
  if (future) return <span class="chip"><Future page={page} future={future} /></span>;
  return <span class="chip">{name}</span>;
}

/// One entry of the ready queue, and why it is there.
function Ready({ page, entry }) {
  const { words } = page;
  return (
    <span class="entry" title={words.why[entry.why]}>
      <Callback page={page} {...entry} status="ready" />
      {entry.by ? <><Icon name="by" size={12} /><span class="heard">{words.woken_by}</span><Call page={page} call={entry.by} /></> : entry.why === 'timer' ? <Icon name="clock" size={12} /> : null}
      {entry.call && !entry.by && entry.why !== 'done' ? <small>{words.why[entry.why]}</small> : null}
    </span>
  );
}

function Timers({ page }) {
  const { state, words } = page;
  const timers = values(state.timers).sort((a, b) => a.at - b.at);
  if (!timers.length) return <None>{words.none}</None>;
  return [
    ...timers.slice(0, 4).map((timer) => {
      const waits = timer.future ? waiting(state, [timer.future]) : [];
      return (
        <span class="timer">
          <b>{timer.time}</b>
          {waits.length ? waits.slice(0, 2).map((call) => <Call page={page} call={call} status="waiting" />) : <Callback page={page} {...timer} />}
          {waits.length > 2 ? `+${waits.length - 2}` : null}
        </span>
      );
    }),
    timers.length > 4 ? <span>+{timers.length - 4}</span> : null,
  ];
}

/// The calls that wait for these Futures.
const waiting = (state, futures) => futures.flatMap((future) => state.futures[future]?.waits ?? []);

function Locks({ page }) {
  const { state, words } = page;
  const locks = values(state.locks);
  const queues = values(state.queues);
  if (!locks.length && !queues.length) return null;
  return (
    <section class="pane">
      <h2><Term page={page} word="locks" /></h2>
      <ul>
        {locks.map(({ name, holders, waits, permits, set }) => (
          <li>
            <Icon name={holders.length || set === false ? 'held' : 'free'} size={15} /><b>{name}</b>
            {set === undefined ? null : <span>{set ? words.set : words.not_set}</span>}
            {holders.length ? <span>{words.held_by} <Holders page={page} holders={holders} /></span> : permits === 1 ? <span>{words.free}</span> : permits === undefined ? null : <span>{words.permits} {permits}</span>}
            <InLine page={page} label={words.in_line} futures={waits} />
          </li>
        ))}
        {queues.map(({ name, size, max, gets, puts, joins }) => (
          <li>
            {max ? <span class="cells" aria-hidden="true">{Array.from({ length: Math.min(max, 12) }, (_, i) => <i class={i < size ? 'full' : ''} />)}</span> : null}<b>{name}</b>
            <span>{max ? `${size}/${max}` : size}</span>
            <InLine page={page} label="get" futures={gets} /><InLine page={page} label="put" futures={puts} /><InLine page={page} label="join" futures={joins} />
          </li>
        ))}
      </ul>
    </section>
  );
}

const Holders = ({ page, holders }) => holders.map((holder) => (typeof holder === 'string' ? <span class="chip">{holder}</span> : <Call page={page} call={holder} />));

/// Those that stand in a line: calls, or Futures that nothing has yielded yet.
function InLine({ page, label, futures }) {
  if (!futures.length) return null;
  return (
    <span class="in-line">
      {label}
      {futures.map((future) => {
        const calls = waiting(page.state, [future]);
        return calls.length ? calls.map((call) => <Call page={page} call={call} status="waiting" />) : <Future page={page} future={future} />;
      })}
    </span>
  );
}

function Jobs({ page }) {
  const { state, words } = page;
  const jobs = values(state.jobs);
  if (!jobs.length) return null;
  return (
    <section class="pane">
      <h2><Term page={page} word="jobs" /></h2>
      <ul>{jobs.map((job) => <li><Future page={page} future={job.future} /><span>{ran(job, words)}</span></li>)}</ul>
    </section>
  );
}

/// On which thread a job runs or ran, and when.
function ran({ thread, from, to }, words) {
  if (thread === undefined) return words.on_a_thread;
  return <><code>{thread}</code>{from === undefined ? null : ` ${from} – ${to ?? ''}`}</>;
}

/// The variables of the function or coroutine that acts, where the program tells them, and those of the whole program.
function Variables({ page }) {
  const { state, step, words } = page;
  const call = step.actor;
  const running = state.functions.at(-1);
  const own = running ? running.variables : state.coroutines[call]?.variables;
  if (!own?.length && !state.variables.length) return null;
  const whose = running ? <code>{running.name}</code> : call ? <Call page={page} call={call} /> : null;
  const rows = (variables) => variables.map(([name, value]) => <><dt><code>{name}</code></dt><dd><b class="value">{value}</b></dd></>);
  return (
    <section class="pane variables">
      <h2>{words.variables}<small>{own?.length ? whose : null}</small></h2>
      {own?.length ? <dl>{rows(own)}</dl> : null}
      {state.variables.length ? <><p class="none">{words.globals}</p><dl>{rows(state.variables)}</dl></> : null}
    </section>
  );
}

function Futures({ page }) {
  const { state, step, words } = page;
  const futures = Object.entries(state.futures);
  const left = Math.max(0, futures.length - FUTURES);
  return (
    <section class="pane futures" tabIndex="0" role="region" aria-label={words.futures}>
      <h2><Term page={page} word="futures" /></h2>
      <ul>
        {futures.slice(left).map(([future, { state: how, value, waits = [], taken }]) => (
          <li class={how + (taken ? ' taken' : '') + (step.future === +future ? ' acted-on' : '')}>
            <Icon name={how} size={14} />
            <Future page={page} future={future} />
            <span class="waits">{waits.map((call) => <><Icon name="by" size={12} /><Call page={page} call={call} status="waiting" /></>)}</span>
            <span class="how">{value === undefined ? words[how] : <b class={'value' + (how === 'failed' ? ' bad' : '')}>{value}</b>}</span>
          </li>
        ))}
        {futures.length ? null : <li><None>{words.none}</None></li>}
        {left ? <li class="none">+{left}</li> : null}
      </ul>
    </section>
  );
}

/// The lines that are printed up to this step: the last ones of a list that all steps share.
class Printed extends Component {
  box = createRef();

  shouldComponentUpdate({ page }) {
    return page.state.printed !== this.count || page.words !== this.props.page.words;
  }

  componentDidUpdate() {
    this.box.current.scrollTop = this.box.current.scrollHeight;
  }

  render({ page }) {
    const { trace, words } = page;
    this.count = page.state.printed;
    const left = Math.max(0, this.count - PRINTED);
    return (
      <section class="pane printed">
        <h2>{words.printed}</h2>
        <div ref={this.box} tabIndex="0" role="region" aria-label={words.printed}>
          {left ? <p class="none">+{left}</p> : null}
          {trace.printed.slice(left, this.count).map(({ text, logged }, i) => <p class={logged ? 'bad' : ''}>{logged ? `${words.logged}: ` : ''}{text}</p>)}
          {this.count ? null : <p><None>{words.none}</None></p>}
        </div>
      </section>
    );
  }
}
