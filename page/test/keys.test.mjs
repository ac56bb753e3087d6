// What keys and clicks do.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { changed, close, launch, open, PHONE, write } from './browser.mjs';

before(launch);
after(close);

/// Opens a page, and closes it after `use`; it must not have complained.
async function on(file, options, use) {
  const page = await open(file, options);
  await use(page);
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

/// From now on the time of the page passes only as it is told.
async function stopClock(page) {
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 3_600_000);
}

test('arrows step both ways, Shift by turns, Home and End to the ends', () =>
  on(write('interleaving'), {}, async (page) => {
    const last = await page.count();
    await page.press('ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft');
    assert.equal(await page.step(), 3);
    await page.press('ArrowLeft', 'ArrowLeft', 'ArrowLeft');
    assert.equal(await page.step(), 1);
    await page.press('Shift+ArrowRight');
    assert.match(await page.what(), /^Turn 1 /);
    await page.press('Shift+ArrowRight');
    assert.match(await page.what(), /^Turn 2 /);
    const second = await page.step();
    await page.press('ArrowRight', 'Shift+ArrowLeft');
    assert.equal(await page.step(), second);
    await page.press('End');
    assert.equal(await page.step(), last);
    await page.press('ArrowRight');
    assert.equal(await page.step(), last);
    await page.press('Home');
    assert.equal(await page.step(), 1);
  }));

test('keys that come faster than frames are all counted', () =>
  on(write('interleaving'), {}, async (page) => {
    await page.evaluate(() => {
      for (let i = 0; i < 40; i++) key('ArrowRight');
    });
    assert.equal(await page.step(), 41);
    await Promise.all(Array.from({ length: 20 }, () => page.keyboard.press('ArrowLeft')));
    assert.equal(await page.step(), 21);
  }));

test('a state is the same whether it is come to forwards or backwards', () =>
  on(write('interleaving'), {}, async (page) => {
    const different = await page.evaluate((last) => {
      const panes = ['.program .lines', '.runner .lines', '.state', '.says'];
      const look = () => panes.map((pane) => document.querySelector(pane).textContent).join();
      const seen = [];
      for (let k = 1; k <= last; k++, key('ArrowRight')) seen[k] = look();
      const different = new Set(seen).size < last / 2 ? ['nothing changes'] : [];
      for (let k = last; k >= 1; k--, key('ArrowLeft')) if (look() !== seen[k]) different.push(k);
      return different;
    }, await page.count());
    assert.deepEqual(different, []);
  }));

test('the buttons do what the keys do', () =>
  on(write('interleaving'), {}, async (page) => {
    await page.click('footer .primary');
    await page.click('footer button.turn');
    const turn = await page.step();
    assert.match(await page.what(), /^Turn /);
    await page.click('footer .primary');
    await page.click('footer button.back');
    assert.equal(await page.step(), turn);
    await page.click('footer button.last');
    assert.equal(await page.step(), await page.count());
    await page.click('footer button.turnBack');
    assert.match(await page.what(), /^Turn /);
    await page.click('footer button.first');
    assert.equal(await page.step(), 1);
  }));

test('a breakpoint is set by a click or by keys, and stops both ways to go on', () =>
  on(write('interleaving'), {}, async (page) => {
    const line = page.locator('.program .line', { hasText: 'yield_!(flush())' });
    const number = line.locator('button.number');
    await number.click();
    assert.equal(await number.getAttribute('aria-pressed'), 'true');
    await page.press('c');
    assert.ok(await line.evaluate((element) => element.classList.contains('current')), 'the line of the breakpoint');
    const stopped = await page.step();
    await page.press('Home');
    await page.locator('.program .lines').focus(); // On a button the space bar would press that.
    await stopClock(page);
    await page.press('Space');
    await page.clock.runFor(900 * (stopped + 20));
    assert.equal(await page.step(), stopped, 'playing stops there');
    await number.dispatchEvent('click');
    assert.ok(await page.locator('footer button.toBreakpoint').isDisabled(), 'no breakpoint is left');
    // By keyboard alone: the lines are one stop of the Tab key, and arrows go among them.
    await number.focus();
    await page.press('ArrowUp', 'Enter');
    const above = await page.evaluate(() => document.activeElement.textContent);
    assert.equal(await page.locator('.program [aria-pressed="true"]').textContent(), above);
  }));

test('play goes on at its speed until the end, and a key stops it', () =>
  on(write('bad_call'), {}, async (page) => {
    await stopClock(page); // Frames come by that clock too, so a real click would wait for ever.
    const press = (name) => page.locator(`footer button.${name}`).dispatchEvent('click');
    await press('play');
    await page.clock.runFor(1800);
    assert.equal(await page.step(), 3);
    await page.selectOption('footer select', '4');
    await page.clock.runFor(450);
    assert.equal(await page.step(), 5);
    await press('pause');
    await page.clock.runFor(5000);
    assert.equal(await page.step(), 5);
    await press('play');
    await page.clock.runFor(60_000);
    assert.equal(await page.step(), await page.count());
    assert.equal(await page.locator('footer button.play').count(), 1, 'it stopped');
  }));

test('the timeline is the scrubber: by click, by drag, and by the slider', () =>
  on(write('interleaving'), {}, async (page) => {
    const track = await page.locator('.track').boundingBox();
    const at = (step) => [track.x + (step - 1) * 20 + 10, track.y + 60];
    await page.mouse.click(...at(11));
    assert.equal(await page.step(), 11);
    await page.mouse.down();
    await page.mouse.move(...at(15));
    await page.mouse.move(...at(19));
    await page.mouse.up();
    await page.mouse.move(...at(3));
    assert.equal(await page.step(), 19);
    await page.locator('footer input').focus();
    await page.press('ArrowRight');
    assert.equal(await page.step(), 20);
  }));

test('the step and the settings are in the address, which can be changed', () =>
  on(write('interleaving'), { address: { step: 12, runner: 'python', timeline: 'columns', theme: 'dark', lang: 'zh' } }, async (page) => {
    assert.equal(await page.step(), 12);
    assert.equal(await page.locator('.timeline.columns').count(), 1);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    assert.match(await page.locator('.program h2').textContent(), /程序/);
    assert.match(await page.locator('.runner .lines').textContent(), /def run/);
    await page.press('ArrowRight', 'l');
    await page.waitForFunction(() => location.hash.includes('step=13&lang=en&theme=dark&runner=python&timeline=columns'));
    await page.evaluate(() => (location.hash = '#step=5'));
    await page.waitForFunction(() => document.querySelector('.where b').textContent === '5');
    await page.evaluate(() => (location.hash = '#step=999999'));
    await page.waitForFunction(() => document.querySelector('.where b').textContent === /\/ (\d+)/.exec(document.querySelector('.where').textContent)[1]);
    await page.evaluate(() => (location.hash = '#step=none&lang=xx'));
    await page.waitForFunction(() => document.querySelector('.where b').textContent === '1');
  }));

test('words are explained under the pointer and by the focus, until Escape', () =>
  on(write('interleaving'), { address: { step: 8 } }, async (page) => {
    await page.hover('.runner h2 .term');
    assert.match(await page.locator('[role=tooltip]').textContent(), /Drives one generator/);
    await page.hover('[role=tooltip]');
    assert.equal(await page.locator('[role=tooltip]').count(), 1, 'it can be pointed at');
    await page.press('Escape');
    assert.equal(await page.locator('[role=tooltip]').count(), 0);
    await page.locator('.futures h2 .term').focus();
    assert.match(await page.locator('[role=tooltip]').textContent(), /A box for a result/);
    const { x, y, width, height } = await page.locator('[role=tooltip]').boundingBox();
    assert.ok(x >= 0 && y >= 0 && x + width <= 1280 && y + height <= 800, 'it is on the screen');
    assert.equal(await page.locator('.futures h2 .term').getAttribute('aria-describedby'), 'tip');
  }));

test('every step has its sentences in both languages, and nothing that was forgotten', async () => {
  for (const lesson of ['bad_call', 'interleaving', 'native', 'parallel_map', 'run_sync', 'leaving_client']) {
    await on(write(lesson), {}, async (page) => {
      // The whole trace in one language, then back in the other: to change the language draws every line anew.
      const wrong = await page.evaluate((last) => {
        const wrong = [];
        for (const [language, way] of [['en', 'ArrowRight'], ['zh', 'ArrowLeft']]) {
          for (let nth = 1; nth <= last; nth++) {
            const at = `${document.querySelector('.where b').textContent} ${language}`;
            const all = document.querySelector('main').textContent;
            const what = document.querySelector('.what').textContent;
            if (/undefined|\bnull\b|NaN|\[object/.test(all)) wrong.push(`${at}: ${/.{20}(undefined|\bnull\b|NaN|\[object).{20}/.exec(all)}`);
            if (what.length < 5 || (language === 'zh') !== /\p{Script=Han}/u.test(what)) wrong.push(`${at}: ${what}`);
            if (nth < last) key(way);
          }
          key('l');
        }
        return wrong;
      }, await page.count());
      assert.equal(await page.step(), 1, 'each step was seen in both languages');
      assert.deepEqual(wrong, [], lesson);
    });
  }
});

const text = (en, zh) => ({ en: [en], zh: [zh] });
const asking = () =>
  changed(write('bad_call'), (trace) => {
    trace.asks = [{ before: 5, question: text('What does the next line see?', '下一行会看到什么？'), options: [text('An exception', '异常'), text('Nothing', '什么也没有')], right: 1, why: text('It is in the Future.', '异常在 Future 里。'), decides: 2 }];
  });

test('a question stands before the step that answers it; a wrong answer is shown what decides', () =>
  on(asking(), {}, async (page) => {
    await page.press('ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight');
    assert.equal(await page.step(), 5);
    assert.match(await page.locator('.asks').textContent(), /What does the next line see/);
    await page.press('1');
    assert.match(await page.locator('.asks').textContent(), /Not quite.*It is in the Future/);
    await page.getByText('Step 3 decides it').click();
    assert.equal(await page.step(), 3);
    await page.press('ArrowRight', 'ArrowRight', 'ArrowRight');
    assert.equal(await page.locator('.asks').count(), 1, 'it is asked again');
    await page.press('2');
    assert.match(await page.locator('.asks').textContent(), /Right\./);
    await page.press('Enter');
    assert.equal(await page.step(), 6, 'the button that goes on has the focus');
    await page.press('ArrowLeft', 'ArrowRight');
    assert.equal(await page.step(), 6, 'what was answered is not asked again');
  }));

test('a question can be skipped, and stops what plays', () =>
  on(asking(), { address: { lang: 'zh' } }, async (page) => {
    await stopClock(page);
    await page.press('Space');
    await page.clock.runFor(20_000);
    assert.equal(await page.step(), 5);
    assert.match(await page.locator('.asks').textContent(), /下一行会看到什么/);
    await page.press('ArrowRight');
    assert.equal(await page.step(), 6);
  }));

test('on paper every step is a row', () =>
  on(write('bad_call'), { address: { theme: 'dark' } }, async (page) => {
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    assert.equal(await page.locator('.steps tbody tr').count(), await page.count());
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    assert.equal(await page.locator('.steps').count(), 0);
  }));

test('on a phone the page is as wide as the screen, and the bar stays on top', () =>
  on(write('interleaving'), { size: PHONE, hasTouch: true, isMobile: true }, async (page) => {
    await page.locator('footer .primary').tap();
    assert.equal(await page.step(), 2);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
    await page.locator('.timeline').scrollIntoViewIfNeeded();
    const bar = await page.locator('.now').boundingBox();
    assert.equal(bar.y, 0);
  }));

test('functions, variables and the lines of a program are shown', async () => {
  const page = await open(
    write({
      name: 'bank',
      about: '',
      defs: {
        fee: { kind: 'plain', params: ['amount'], body: [['log', 'a fee'], ['return', 1]] },
        pay: {
          kind: 'decorated',
          params: ['amount'],
          body: [['let', 'sum', ['+', '$amount', ['call', 'fee', '$amount']]], ['yield', null, ['sleep', 1]], ['let', 'balance', ['-', '$balance', '$sum']]],
        },
      },
      top: [['let', 'balance', 100], ['run_sync', 'pay', [10], null]],
    }),
  );
  const until = async (text) => {
    for (let k = await page.count(); k && !(await page.what()).includes(text); k--) await page.press('ArrowRight');
    assert.ok((await page.what()).includes(text), text);
  };
  const variables = () => page.locator('.variables').innerText();
  await until('calls the function fee');
  assert.match(await page.locator('.why').textContent(), /Arguments: amount = 10\./);
  await until('fee prints');
  // The function stands at its own line, and the coroutine at that of its call.
  assert.match(await page.locator('.program .current').innerText(), /log\('a fee'\)[^]*fee/);
  assert.match(await page.locator('.program .on', { hasText: 'fee(amount))' }).innerText(), /pay/);
  assert.match(await page.locator('.loop dd').first().innerText(), /pay[^]*fee/);
  assert.match(await variables(), /fee[^]*amount\s+10[^]*balance\s+100/);
  await until('pay waits');
  assert.match(await variables(), /pay[^]*amount\s+10\s+sum\s+11/);
  await until('pay returns');
  assert.match(await variables(), /balance\s+89/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
