// Signs that no font has to have.

const PATHS = {
  first: 'M3 3v10M13 3 6 8l7 5z',
  turnBack: 'M8 3 2 8l6 5zM14 3 8 8l6 5z',
  back: 'M11 3 4 8l7 5z',
  step: 'M5 3l7 5-7 5z',
  turn: 'M8 3l6 5-6 5zM2 3l6 5-6 5z',
  last: 'M13 3v10M3 3l7 5-7 5z',
  play: 'M4 2.5 13 8l-9 5.5z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  toBreakpoint: 'M2 8a3 3 0 1 0 6 0a3 3 0 1 0-6 0M10 3l5 5-5 5z',
  sun: 'M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  moon: 'M13 10.5A6 6 0 0 1 6.5 2.5A6 6 0 1 0 13 10.5z',
  up: 'M8 14V3M3 7.5 8 2l5 5.5',
  down: 'M8 2v11M3 8.5 8 14l5-5.5',
  // The state of a Future.
  pending: 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12',
  done: 'M8 1a7 7 0 1 0 0 14a7 7 0 1 0 0-14M4.6 8.2l2.4 2.4 4.4-5',
  failed: 'M4 4l8 8M12 4l-8 8',
  cancelled: 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M4 4l8 8',
  // The status of a coroutine.
  waiting: 'M5 2v12M11 2v12',
  ready: 'M2 8h.1M8 8h.1M14 8h.1',
  calling: 'M3 3v6h8M8 6l3 3-3 3',
  running: 'M5 3l7 5-7 5z',
  // Who is woken by whom.
  by: 'M15 8H2M6.5 3.5 2 8l4.5 4.5',
  clock: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 5v3l2.2 1.6',
  held: 'M3.5 7.5h9v6h-9zM5.5 7.5V5.5a2.5 2.5 0 0 1 5 0v2',
  free: 'M3.5 7.5h9v6h-9zM5.5 7.5V4.5a2.5 2.5 0 0 1 4.9-.6',
  right: 'M3 8.5l3.5 3.5L13 4.5',
  wrong: 'M4 4l8 8M12 4l-8 8',
};
const LINES = new Set(['up', 'down', 'failed', 'cancelled', 'pending', 'waiting', 'ready', 'calling', 'by', 'clock', 'free', 'right', 'wrong', 'sun']);

export const Icon = ({ name, size = 16 }) => (
  <svg class={'icon ' + name + (LINES.has(name) ? ' line' : '')} viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);
