// A screen of a terminal as HTML: runs a command in tmux, types keys, and converts what is on the screen with its colours.
import { execFileSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';

const socket = `squall-${process.pid}`;
const tmux = (...args) => execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });

/// Returns the screen of `command` in a terminal of that size, after `keys`.
export async function screen({ command, width, height, keys }) {
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${width}`, '-y', `${height}`, command);
  try {
    tmux('set', '-g', 'status', 'off');
    tmux('resize-window', '-x', `${width}`, '-y', `${height}`);
    await settled();
    for (const key of keys) {
      tmux('send-keys', ...(key.length > 1 && !/^[A-Z]/.test(key) ? ['-l', key] : [key]));
    }
    return html(await settled(), width);
  } finally {
    tmux('kill-server');
  }
}

/// Returns the screen once it has something on it, and no longer changes.
async function settled() {
  for (let last = ''; ; ) {
    await setTimeout(300);
    const now = tmux('capture-pane', '-e', '-p', '-N');
    if (now.trim() && now === last) return now;
    last = now;
  }
}

/// The colour of a number between 16 and 255 of a terminal.
function color(n) {
  if (n >= 232) return `rgb(${Array(3).fill(8 + (n - 232) * 10)})`;
  const part = (of) => [0, 95, 135, 175, 215, 255][Math.floor((n - 16) / of) % 6];
  return `rgb(${[36, 6, 1].map(part)})`;
}

/// A screen with its escape sequences as an element.
function html(text, width) {
  let style = {};
  const set = (codes) => {
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at];
      if (code === 0) style = {};
      else if (code === 1) style.bold = true;
      else if (code === 3) style.italic = true;
      else if (code === 4) style.underline = true;
      else if (code === 7) style.reversed = true;
      else if (code === 39) delete style.fg;
      else if (code === 49) delete style.bg;
      else if (code === 38 || code === 48) {
        style[code === 38 ? 'fg' : 'bg'] = color(codes[at + 2]);
        at += 2;
      }
    }
  };
  const css = () => {
    const [fg, bg] = style.reversed ? [style.bg, style.fg] : [style.fg, style.bg];
    return [
      fg && `color:${fg}`, bg && `background:${bg}`, style.bold && 'font-weight:bold',
      style.italic && 'font-style:italic', style.underline && 'text-decoration:underline',
    ].filter(Boolean).join(';');
  };
  // A wide character takes two columns, whatever its font.
  const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g;
  const escaped = (part) => part.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replace(wide, '<i>$&</i>');
  const rows = text.replace(/\n+$/, '').split('\n').map((row) => row.split(/\x1b\[([\d;]*)m/).map((part, nth) => {
    if (nth % 2) {
      set(part.split(';').map(Number));
      return '';
    }
    return part && `<span style="${css()}">${escaped(part)}</span>`;
  }).join(''));
  const look = `
    pre { display: inline-block; margin: 0; min-width: ${width}ch; font: 15px/19px 'DejaVu Sans Mono', 'Noto Sans Mono', monospace;
      background: ${color(234)}; color: ${color(253)} }
    div { height: 19px; overflow: hidden } span { display: inline-block; height: 19px }
    i { display: inline-block; width: 2ch; font-style: normal }`;
  const lines = rows.map((row) => `<div>${row}</div>`).join('');
  return `<!doctype html><meta charset="utf-8"><style>${look}</style><pre>${lines}</pre>`;
}
