// Which coroutine runs, is ready, or waits, at each step; which wakes and which calls another. It is also the scrubber. Lanes go
// right, columns go down. Only what is in view is drawn, so that ten thousand steps cost no more than a hundred.
import { Component, createRef } from 'preact';

const STEP = 20; // Pixels from step to step.
const MARGIN = 8; // So many steps are drawn before and after what is in view, so that not every scroll draws.

const circle = (r) => `M-${r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0-${2 * r} 0`;

/// The shape of each mark, and how it is filled. All are paths, so that the elements are used again for other steps.
const MARKS = {
  call: ['M-4 -4 4 0 -4 4z'],
  start: ['M-3 -5 5 0 -3 5z'],
  send: ['M-5 0 0 -5 5 0 0 5z'],
  throw: ['M-4 -4 4 4M4 -4-4 4', 'open'],
  wake: ['M-5 0 0 -5 5 0 0 5z'],
  yield: [circle(4.5), 'hollow'],
  already: ['M-4 0a4 4 0 1 1 4 4', 'open'],
  wait: ['M-2 -5V5M2 -5V5', 'open'],
  return: ['M-4.5 -4.5h9v9h-9z'],
  raise: ['M-4 -4 4 4M4 -4-4 4', 'open'],
  resolve: [circle(4)],
  note: ['M-5 -4H5V3H0L-3 6V3H-5z'],
  made: [circle(3), 'hollow'],
  report: ['M0 -6V1M0 4V6', 'open'],
  run: [circle(5), 'hollow'],
  stop: ['M-5 -5h10v10h-10z', 'hollow'],
  pop: ['M-3 -5 5 0 -3 5z', 'hollow'],
  other: [circle(2.5)],
};

export class Timeline extends Component {
  box = createRef();
  /// The size of what is in view, and where it is scrolled to: along the steps, and across them. They are read when they change,
  /// and not at each step, which would have the page laid out in the middle of its change.
  width = 0;
  length = 800;
  breadth = 0;
  scroll = 0;
  aside = 0;

  componentDidMount() {
    this.resized = new ResizeObserver(() => this.measure());
    this.resized.observe(this.box.current);
    this.measure();
  }

  componentDidUpdate(before) {
    const { k, columns } = this.props;
    if (before.columns !== columns) this.measure();
    else if (before.k !== k) this.bring();
  }

  componentWillUnmount() {
    this.resized.disconnect();
  }

  /// What scrolls across the steps.
  get other() {
    return this.props.columns ? this.box.current : this.box.current.parentNode;
  }

  measure() {
    const box = this.box.current;
    const { columns } = this.props;
    this.width = box.clientWidth;
    this.length = columns ? box.clientHeight : box.clientWidth;
    this.breadth = columns ? box.clientWidth : this.other.clientHeight;
    this.read();
    this.follow();
    this.bring();
    this.forceUpdate();
  }

  read() {
    const { columns } = this.props;
    this.scroll = columns ? this.box.current.scrollTop : this.box.current.scrollLeft;
    this.aside = columns ? this.other.scrollLeft : this.other.scrollTop;
  }

  /// Draws what has come into view.
  look = () => {
    this.read();
    const [from, to] = this.drawn;
    const [first, last] = [this.scroll / STEP, (this.scroll + this.length) / STEP];
    if (first < from || last > to) this.forceUpdate();
  };

  /// Decides where to scroll so that the step and what acts are in view.
  follow() {
    const { page, k, columns } = this.props;
    const at = this.along(k);
    if (at < this.scroll + 60 || at > this.scroll + this.length - 90) this.scroll = Math.max(0, at - this.length * 0.45);
    const across = this.across(page.trace.lane(page.step.actor));
    if (across < this.aside + 40 || across > this.aside + this.breadth - (columns ? 120 : 20)) this.aside = Math.max(0, across - this.breadth / 2);
  }

  /// Scrolls there.
  bring() {
    const box = this.box.current;
    const [along, aside] = this.props.columns ? ['scrollTop', 'scrollLeft'] : ['scrollLeft', 'scrollTop'];
    if (this.brought?.scroll !== this.scroll) box[along] = this.scroll;
    if (this.brought?.aside !== this.aside) this.other[aside] = this.aside;
    this.brought = { scroll: this.scroll, aside: this.aside };
  }

  get left() {
    return this.props.columns ? 66 : 0;
  }

  /// Columns share the width that there is.
  get lane() {
    if (!this.props.columns) return 24;
    const lanes = this.props.page.trace.lanes.length;
    return Math.max(104, Math.min(220, Math.floor(((this.width || 600) - this.left - 6) / lanes)));
  }

  get head() {
    return this.props.columns ? 26 : 34;
  }

  along(k) {
    return (this.props.columns ? this.head : 0) + k * STEP + STEP / 2;
  }

  across(lane) {
    return this.props.columns ? this.left + lane * this.lane + 12 : this.head + lane * this.lane + this.lane / 2;
  }

  xy(k, lane) {
    return this.props.columns ? [this.across(lane), this.along(k)] : [this.along(k), this.across(lane)];
  }

  line(name, [k1, lane1], [k2, lane2], extra) {
    const [x1, y1] = this.xy(k1, lane1);
    const [x2, y2] = this.xy(k2, lane2);
    // In columns the texts are to the right of the marks; arrows run below them.
    const down = extra && this.props.columns ? 9 : 0;
    return <line class={name} x1={x1} y1={y1 + down} x2={x2} y2={y2 + down} {...extra} />;
  }

  scrub = (event) => {
    if (event.type === 'pointermove' && !(event.buttons & 1)) return;
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const along = this.props.columns ? event.clientY - top - this.head : event.clientX - left;
    this.props.page.actions.to(Math.floor(along / STEP));
  };

  render({ page, k, columns }) {
    const { trace, words, view, actions } = page;
    // A scroll without a step is the reader's own.
    if (this.followed !== k) this.follow();
    this.followed = k;
    const from = Math.max(0, Math.floor(this.scroll / STEP / MARGIN - 1) * MARGIN);
    const to = Math.min(trace.n, Math.ceil((this.scroll + this.length) / STEP / MARGIN + 1) * MARGIN);
    this.drawn = [from, to];
    const along = (columns ? this.head : 0) + trace.n * STEP + 8;
    const across = columns ? this.left + trace.lanes.length * this.lane : this.head + trace.lanes.length * this.lane + 4;
    const names = trace.lanes.map((lane, i) => {
      const place = columns ? `left:${this.left + i * this.lane}px;width:${this.lane}px` : `top:${this.head + i * this.lane}px;height:${this.lane}px`;
      return <span style={`--h:var(--l${i ? ((i - 1) % 8) + 1 : 0});${place}`}>{i ? lane : words.loop}</span>;
    });
    return (
      <section class={'pane timeline ' + (columns ? 'columns' : 'lanes')}>
        <h2>
          {words.timeline}
          <span class="legend" aria-hidden="true">
            <i class="running" />{words.running}<i class="ready" />{words.ready}<i class="waiting" />{words.waiting}
            <i class="arrow" />{words.wakes}<i class="arrow thin" />{words.calls}
          </span>
          <span class="choice" role="group" aria-label={words.timeline}>
            <button aria-pressed={!columns} onClick={() => actions.view({ columns: false })}>{words.lanes}</button>
            <button aria-pressed={columns} onClick={() => actions.view({ columns: true })}>{words.columns}</button>
          </span>
        </h2>
        <div class="body" onScroll={this.look}>
          {columns ? null : <div class="names" style={`height:${across}px`}><em style="top:1px">{words.time}</em><em style="top:16px">{words.turns}</em>{names}</div>}
          <div class="track" ref={this.box} onScroll={this.look} tabIndex="0" role="region" aria-label={words.timeline}>
            {columns ? <div class="names" style={`width:${across}px`}>{names}</div> : null}
            <svg width={columns ? across : along} height={columns ? along : across} onPointerDown={this.scrub} onPointerMove={this.scrub} role="img" aria-label={words.timeline}>
              <defs>
                <marker id="woken" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" /></marker>
                <marker id="called" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0 8 4 0 8z" /></marker>
              </defs>
              {columns ? <rect class="cursor" x="0" y={this.along(k) - STEP / 2} width={across} height={STEP} /> : <rect class="cursor" x={this.along(k) - STEP / 2} y="0" width={STEP} height={across} />}
              <Drawn look={[from, to, columns, this.lane, view.language].join()} draw={() => this.draw(from, to, across)} />
            </svg>
          </div>
        </div>
      </section>
    );
  }

  draw(from, to, across) {
    return (
      <g>
        {this.turns(from, to, across)}
        {this.line('loop', [from, 0], [Math.max(from, to - 1), 0])}
        {this.segments(from, to)}
        {this.arrows(from, to)}
        {this.marks(from, to)}
      </g>
    );
  }

  turns(from, to, across) {
    const { trace, view } = this.props.page;
    const { columns } = this.props;
    return trace.turns.filter((t) => t >= from && t < to).map((t) => {
      const step = trace.steps[t];
      const p = this.along(t) - STEP / 2;
      const time = step.time ?? '';
      return (
        <g class={'turn' + (step.time ? ' later' : '')}>
          {columns
            ? <><line x1="0" x2={across} y1={p} y2={p} /><text x="4" y={p + 14}>{time}</text><text class="n" x={this.across(0) + 11} y={p + 14}>{trace.says(t, view.language)[2]}</text></>
            : <><line y1="0" y2={across} x1={p} x2={p} /><text x={p + 4} y="13">{time}</text><text class="n" x={p + 4} y="28">{step.turn}</text></>}
        </g>
      );
    });
  }

  segments(from, to) {
    const { trace } = this.props.page;
    const drawn = [];
    for (const [call, start, end, status] of trace.segments) {
      if (start > to) break; // They are in order of their starts.
      if (end < from) continue;
      const lane = trace.lane(call);
      drawn.push(<g style={trace.hue(call)}>{this.line('segment ' + status, [Math.max(start, from - 1), lane], [Math.min(end, to + 1), lane])}</g>);
    }
    return drawn;
  }

  arrows(from, to) {
    const { trace } = this.props.page;
    const drawn = [];
    for (let k = from; k < to; k++) {
      const { kind, actor, calls, wakes = [] } = trace.steps[k];
      const lane = trace.lane(actor);
      if (calls) drawn.push(<g class="calls" style={trace.hue(calls)}>{this.line('', [k, lane], [k, trace.lane(calls)], { 'marker-end': 'url(#called)' })}</g>);
      for (const woken of wakes) {
        if (trace.lane(woken) !== lane) drawn.push(<g class="wakes">{this.line('', [k, lane], [k, trace.lane(woken)], { 'marker-end': 'url(#woken)' })}</g>);
      }
    }
    return drawn;
  }

  marks(from, to) {
    const { trace, view } = this.props.page;
    const { columns } = this.props;
    const drawn = [];
    for (let k = from; k < to; k++) {
      const { kind, actor } = trace.steps[k];
      if (kind === 'turn') continue;
      const [x, y] = this.xy(k, trace.lane(actor));
      const brief = trace.says(k, view.language)[2];
      const [shape, fill] = MARKS[kind] ?? MARKS.other;
      drawn.push(
        <g class={'mark ' + kind} style={trace.hue(actor)} transform={`translate(${x},${y})`}>
          <title>{`${k + 1}: ${brief}`}</title>
          <path class={fill} d={shape} />
          {columns ? <text x="11" y="4">{fit(brief, this.lane - 18)}</text> : null}
        </g>,
      );
    }
    return drawn;
  }
}

/// What does not change from step to step. It is drawn again only if `look` changes, which says all that it depends on.
class Drawn extends Component {
  shouldComponentUpdate(next) {
    return next.look !== this.props.look;
  }

  render({ draw }) {
    return draw();
  }
}

/// As much of a text as goes into so many pixels. A Chinese character takes as many as two others.
function fit(text, room) {
  let left = room / 6.6;
  let end = 0;
  for (const c of text) {
    left -= c > '\u2e80' ? 2 : 1;
    if (left < 0) return `${text.slice(0, Math.max(0, end - 1))}…`;
    end += c.length;
  }
  return text;
}
