// The program: where each coroutine stands, and breakpoints.
import { Component } from 'preact';
import { Line, Lines, bring } from './code.jsx';
import { Icon } from './icons.jsx';
import { Call } from './words.jsx';

const SHOWN = 3; // Names beside one line.

export class Program extends Component {
  state = { hidden: [] };

  setHidden = (hidden) => {
    if (JSON.stringify(hidden) !== JSON.stringify(this.state.hidden)) this.setState({ hidden });
  };

  render({ page }) {
    const { trace, state, step, words, breakpoints, file, actions } = page;
    const source = trace.sources[file];
    if (!source) return null;
    const standing = standingIn(state, file);
    const functions = new Map(state.functions.filter(({ at }) => at?.[0] === file).map(({ at, name }) => [at[1], name]));
    const loopLine = state.loop_at?.[0] === file ? state.loop_at[1] : 0;
    const current = step.at?.[0] === file ? step.at[1] : 0;
    return (
      <section class="pane program">
        <h2>
          {words.program}
          {trace.sources.length > 1 ? (
            <select aria-label={words.file} value={file} onChange={(event) => actions.show(+event.target.value)}>
              {trace.sources.map((other, i) => <option value={i}>{other.name}</option>)}
            </select>
          ) : <small>{source.name}</small>}
          <Hidden page={page} standing={standing} lines={this.state.hidden} find={(line) => bring(this.base, `[data-line="${line}"]`)} />
        </h2>
        <Lines label={words.program} step={page.k} of={file} seek={['.current', '.on']} hidden={this.setHidden}>
          {source.lines.map((text, i) => {
            const line = source.first + i;
            const here = standing.get(line) ?? [];
            const isCurrent = line === current;
            const isLoop = line === loopLine && !here.length;
            const runs = functions.get(line);
            const breaks = breakpoints.has(`${file}:${line}`);
            const actor = here.find(([call]) => call === step.actor) ?? here[0];
            const tabs = line === (current || source.first);
            return (
              <Line
                class={(here.length || isLoop || runs ? 'on' : '') + (isCurrent ? ' current' : '')}
                style={actor ? trace.hue(actor[0]) : trace.hue(0)}
                look={[here.join(), runs, isCurrent, isLoop && step.actor, breaks, tabs, words.language].join()}
                id={line}
                text={text}
                language={source.language}
                number={
                  <button class={'number' + (breaks ? ' breaks' : '')} aria-pressed={breaks} aria-label={`${words.breakpoint} ${line}`} tabIndex={tabs ? 0 : -1} onClick={() => actions.toggle(file, line)} onKeyDown={rove}>
                    {line}
                  </button>
                }
                mark={runs ? <span class="standing"><span class="chip">{runs}</span></span> : here.length ? <Standing page={page} here={here} /> : isLoop ? <span class="standing"><span class={'call loop ' + (isCurrent && !step.actor ? 'running' : '')}>{words.main}</span></span> : null}
              />
            );
          })}
        </Lines>
      </section>
    );
  }
}

/// Line to [call, status] of those that stand there.
function standingIn(state, file) {
  const lines = new Map();
  for (const [call, { at, status }] of Object.entries(state.coroutines)) {
    if (at?.[0] !== file) continue;
    if (!lines.has(at[1])) lines.set(at[1], []);
    lines.get(at[1]).push([+call, status]);
  }
  return lines;
}

/// At most three names, and among them that of the coroutine that acts.
function Standing({ page, here }) {
  const acts = ([call]) => call === page.step.actor;
  const shown = here.length <= SHOWN ? here : [...here.filter((one) => !acts(one)).slice(0, here.some(acts) ? SHOWN - 1 : SHOWN), ...here.filter(acts)];
  return (
    <span class="standing">
      {shown.map(([call, status]) => <Call page={page} call={call} status={status} />)}
      {here.length > SHOWN ? <b>+{here.length - SHOWN}</b> : null}
    </span>
  );
}

/// Those that stand in lines out of view, as buttons that lead there.
function Hidden({ page, standing, lines, find }) {
  const all = lines.flatMap(([way, line]) => (standing.get(+line) ?? []).map(([call, status]) => ({ way, line, call, status })));
  const shown = all.slice(0, innerWidth < 760 ? 1 : 2);
  return (
    <span class="hidden">
      {shown.map(({ way, line, call, status }) => (
        <button onClick={() => find(line)}>
          <Icon name={way} size={12} /><Call page={page} call={call} status={status} /><span class="heard">{page.words.line} </span>{line}
        </button>
      ))}
      {all.length > shown.length ? <span>+{all.length - shown.length}</span> : null}
    </span>
  );
}

/// Up and down among the line numbers; Enter sets a breakpoint there.
function rove(event) {
  const way = { ArrowUp: 'previousSibling', ArrowDown: 'nextSibling' }[event.key];
  if (!way) return;
  event.preventDefault();
  event.currentTarget.parentNode[way]?.querySelector?.('.number')?.focus();
}
