// What is seen: lit lines are in view, nothing is wider than the screen, and nothing is out of reach of those who see less.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { close, launch, open, PHONE, WIDE, write } from './browser.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

before(launch);
after(close);

/// Goes through a trace, and says at which steps something that counts is out of view.
const outOfView = (last) => {
  const out = [];
  let runs = false; // Before and after a run the program may do what no Runner does.
  for (let k = 1; k <= last; k++, key('ArrowRight')) {
    const say = (what) => out.push(`step ${k}: ${what}`);
    for (const selector of ['.program .current', '.runner .line.lit', '.runner .line.inside']) {
      const element = document.querySelector(selector);
      if (!element) continue;
      const line = element.getBoundingClientRect();
      const box = element.closest('.lines').getBoundingClientRect();
      if (line.top < box.top - 1 || line.bottom > box.bottom + 1) say(selector);
    }
    const now = document.querySelector('.track .cursor').getBoundingClientRect();
    const track = document.querySelector('.track').getBoundingClientRect();
    if (now.right < track.left || now.left > track.right || now.bottom < track.top || now.top > track.bottom) say('the timeline');
    if (document.documentElement.scrollWidth > innerWidth) say('wider than the screen');
    const what = document.querySelector('.what').textContent;
    runs = (runs || what.startsWith('The program starts the event loop')) && !what.startsWith('The event loop stops');
    if (runs && !document.querySelector('.runner .line.lit, .runner .line.inside')) say('no line of the Runner');
  }
  return out;
};

for (const [name, size] of [['1280x800', WIDE], ['400x800', PHONE]]) {
  test(`at ${name} the lines that count are in view at every step`, async () => {
    for (const lesson of ['bad_call', 'good_call', 'interleaving', 'native', 'parallel_list', 'spawn_callback']) {
      const page = await open(write(lesson), { size, address: { runner: 'rust' } });
      for (const runner of ['rust', 'python']) {
        assert.deepEqual(await page.evaluate(outOfView, await page.count()), [], `${lesson}, ${runner}`);
        await page.press('Home', 'r');
      }
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  });

  test(`at ${name} axe finds nothing, light or dark`, async () => {
    const views = [
      ['interleaving', { step: 28, timeline: 'lanes', runner: 'rust', lang: 'en' }, []],
      ['interleaving', { step: 30, timeline: 'columns', runner: 'python', lang: 'zh' }, []],
      ['bad_call', { step: 6 }, ['?']],
      ['good_call', { step: 9, lang: 'zh' }, ['?']],
      ['parallel_list', { step: 12 }, ['Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'Tab']],
    ];
    for (const lesson of new Set(views.map(([lesson]) => lesson))) {
      const page = await open(write(lesson), { size });
      await page.evaluate(axe);
      for (const [, address, keys] of views.filter(([other]) => other === lesson)) {
        await page.evaluate((address) => (location.hash = address), `${new URLSearchParams(address)}`);
        await page.waitForFunction((step) => +document.querySelector('.where b').textContent === step, address.step);
        await page.press(...keys);
        for (const theme of ['light', 'dark']) {
          if ((await page.evaluate(() => document.documentElement.dataset.theme)) !== theme) await page.evaluate(() => key('d'));
          assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
          const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
          const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).slice(0, 3).join(' ')}`);
          assert.deepEqual(found, [], `${lesson} ${JSON.stringify(address)} ${theme}`);
        }
      }
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  });
}

test('what is lit is in view when the help takes some of the room', async () => {
  const page = await open(write('bad_call'), { address: { step: 5 } });
  await page.press('?');
  await page.waitForFunction(() => {
    const line = document.querySelector('.program .current').getBoundingClientRect();
    const box = document.querySelector('.program .lines').getBoundingClientRect();
    return line.top >= box.top && line.bottom <= box.bottom;
  });
  await page.context().close();
});
