// A long trace, and one whose texts try to break out.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { changed, close, launch, open, write } from './browser.mjs';

before(launch);
after(close);

/// A trace again and again, until it has more than 10,000 steps.
const long = () =>
  changed(write('interleaving'), (trace) => {
    const { steps, patches, segments, printed } = trace;
    const times = Math.ceil(10_001 / steps.length);
    const again = (of) => Array.from({ length: times }, (_, nth) => of(nth)).flat();
    trace.steps = again(() => steps);
    // What is printed grows all the while.
    trace.patches = again((nth) => patches.map((patch) => (patch.printed ? { ...patch, printed: patch.printed + nth * printed.length } : patch)));
    trace.printed = again(() => printed);
    trace.segments = again((nth) => segments.map(([call, from, to, status]) => [call, from + nth * steps.length, to + nth * steps.length, status]));
  });

test('a long trace opens and steps', async (t) => {
  const file = long();
  for (const timeline of ['lanes', 'columns']) {
    const page = await open(file, { address: { timeline } });
    const steps = await page.count();
    assert.ok(steps > 10_000, `${steps} steps`);
    const measured = await page.evaluate(async (steps) => {
      const opened = performance.getEntriesByName('drawn')[0].startTime;
      const times = [];
      const at = () => +document.querySelector('.where b').textContent;
      const timed = (act) => {
        const start = performance.now();
        act();
        document.body.offsetHeight; // Has it laid out.
        times.push(performance.now() - start);
      };
      const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)].toFixed(1);
      const worst = (values) => Math.max(...values).toFixed(1);
      for (let i = 0; i < 50; i++) timed(() => key('ArrowRight'));
      const stepping = [middle(times), worst(times), at()];
      times.length = 0;
      const slider = document.querySelector('footer input');
      for (let i = 1; i <= 50; i++) {
        timed(() => {
          slider.value = (i * 7919) % steps;
          slider.dispatchEvent(new Event('input', { bubbles: true }));
        });
      }
      return { opened: opened.toFixed(0), stepping, jumping: [middle(times), worst(times), at()] };
    }, steps);
    t.diagnostic(
      `${steps} steps, ${(statSync(file).size / 1e6).toFixed(1)} MB, ${timeline}: drawn after ${measured.opened} ms; ` +
        `a step takes ${measured.stepping[0]} ms (at most ${measured.stepping[1]}), a jump ${measured.jumping[0]} ms (at most ${measured.jumping[1]})`,
    );
    // No time is asserted: machines differ.
    assert.equal(measured.stepping[2], 51);
    assert.equal(measured.jumping[2], ((50 * 7919) % steps) + 1);
    await page.press('End');
    assert.equal(await page.step(), steps);
    assert.ok((await page.locator('.printed p').count()) > 20, 'the last lines are shown');
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
});

test('texts of a program stay texts', async () => {
  const hostile = '</script><script>window.broken = 1</script><!-- <script> <img src=x onerror="window.broken = 1"> \u2028\u2029 & &lt; {{}} [[r1]] `code` \\u003c';
  const file = write({
    name: `${hostile.slice(0, 40)} hostile`,
    about: hostile,
    defs: { main: { kind: 'decorated', params: [], body: [['yield', null, ['moment']], ['log', hostile], ['return', hostile]] } },
    top: [['run_sync', 'main', [], null]],
  });
  const page = await open(file);
  assert.equal(await page.locator('.about').textContent(), hostile);
  let seen = 0;
  for (let last = await page.count(), k = 1; k <= last; k++) {
    if ((await page.locator('.what').textContent()).includes('</script><script>window.broken')) seen += 1;
    await page.press('ArrowRight');
  }
  assert.ok(seen >= 2, 'what it prints and what it returns is told');
  assert.equal((await page.locator('.printed p').first().textContent()), hostile);
  assert.equal(await page.evaluate(() => window.broken), undefined);
  assert.equal(await page.evaluate(() => document.scripts.length), 2);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
