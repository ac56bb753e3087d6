// Reads the files that it is given: each `.mmd` by Mermaid's own parser, each `.json` by the rules of Chrome's Trace
// Event Format, as https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU has them.
import { readFileSync } from 'node:fs';
import { JSDOM } from 'jsdom';

const { window } = new JSDOM('');
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import('mermaid');

/** Throws if a diagram is none. */
async function diagram(text) {
  const { diagramType } = await mermaid.parse(text);
  if (diagramType !== 'sequence') throw new Error(`it is a ${diagramType}`);
}

const number = (event, ...fields) => fields.forEach((field) => {
  if (!Number.isSafeInteger(event[field]) || event[field] < 0) throw new Error(`${field} in ${JSON.stringify(event)}`);
});

/** Throws if a trace of Chrome breaks a rule of its format. */
function chrome(text) {
  const { traceEvents } = JSON.parse(text);
  const waits = new Map(), arrows = new Map(), slices = new Map();
  for (const event of traceEvents) {
    const wrong = (what) => { throw new Error(`${what}: ${JSON.stringify(event)}`); };
    if (typeof event.name !== 'string') wrong('no name');
    number(event, 'pid', 'tid');
    if (event.ph === 'M') { if (!event.args) wrong('no args'); continue; }
    number(event, 'ts');
    if (typeof event.cat !== 'string') wrong('no cat');
    switch (event.ph) {
      case 'X': {
        number(event, 'dur');
        const all = slices.get(event.tid) ?? [];
        all.push([event.ts, event.ts + event.dur]);
        slices.set(event.tid, all);
        break;
      }
      case 'b': if (waits.has(event.id)) wrong('begins twice'); waits.set(event.id, event); break;
      case 'e': {
        const begun = waits.get(event.id);
        if (!begun || begun.name !== event.name || begun.ts > event.ts) wrong('ends what has not begun');
        waits.delete(event.id);
        break;
      }
      case 's': if (arrows.has(event.id)) wrong('starts twice'); arrows.set(event.id, event); break;
      case 'f': {
        const start = arrows.get(event.id);
        if (!start || start.ts > event.ts) wrong('an arrow that comes from nowhere');
        if (event.bp !== 'e') wrong('no binding point');
        break;
      }
      case 'i': if (!'gpt'.includes(event.s)) wrong('no scope'); break;
      default: wrong('unknown phase');
    }
  }
  if (waits.size) throw new Error(`${waits.size} waits never end`);
  // Slices of one track do not overlap: nothing runs twice at once.
  for (const [tid, all] of slices) {
    all.sort((a, b) => a[0] - b[0]);
    all.forEach(([start], n) => { if (n && all[n - 1][1] > start) throw new Error(`slices of track ${tid} overlap`); });
  }
}

let failed = 0;
for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, 'utf8');
  try {
    await (file.endsWith('.mmd') ? diagram(text) : chrome(text));
  } catch (error) {
    failed += 1;
    console.error(`${file}: ${error.message}`);
  }
}
console.log(`${process.argv.length - 2 - failed} views are well formed, ${failed} are not`);
process.exit(failed ? 1 : 0);
