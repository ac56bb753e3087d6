// Pages as `squall` writes them, opened in Chromium without a network.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const SQUALL = process.env.SQUALL ?? fileURLToPath(new URL('../../target/debug/squall', import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const directory = mkdtempSync(join(tmpdir(), 'squall-page-'));

export const WIDE = { width: 1280, height: 800 };
export const PHONE = { width: 400, height: 800 };

let browser;
export const launch = async () => (browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] }));
export const close = () => browser.close();

const written = new Map();

/// The file with the page of a lesson, or of a program in JSON.
export function write(subject, args = []) {
  const key = JSON.stringify([subject, args]);
  if (!written.has(key)) {
    const file = join(directory, `${written.size}.html`);
    let name = subject;
    if (typeof subject !== 'string') {
      name = join(directory, `${written.size}.json`);
      writeFileSync(name, JSON.stringify(subject));
    }
    execFileSync(SQUALL, ['trace', name, '--format', 'html', '--no-questions', '-o', file, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    written.set(key, file);
  }
  return written.get(key);
}

const DATA = /(<script type="application\/json" id="trace">)(.*?)(<\/script>)/s;

/// The data of a page.
export const data = (file) => JSON.parse(DATA.exec(readFileSync(file, 'utf8'))[2]);

/// A copy of a page whose data was changed.
export function changed(file, change) {
  const trace = data(file);
  change(trace);
  const copy = join(directory, `changed-${written.size}.html`);
  written.set(copy, copy);
  writeFileSync(copy, readFileSync(file, 'utf8').replace(DATA, (_, a, __, b) => a + JSON.stringify(trace).replaceAll('<', '\\u003c') + b));
  return copy;
}

/// Opens a page. What it complains of, or asks the network for, is in `problems`.
export async function open(file, { address = '', size = WIDE, ...options } = {}) {
  const context = await browser.newContext({ viewport: size, offline: true, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
  page.on('request', (request) => request.url().startsWith('file:') || page.problems.push(`request of ${request.url()}`));
  // For tests that go through a trace without a message to the browser for each key.
  await page.addInitScript(() => {
    window.key = (key) => dispatchEvent(new KeyboardEvent('keydown', { key }));
  });
  await page.goto(pathToFileURL(file).href + '#' + new URLSearchParams({ lang: 'en', theme: 'light', ...address }));
  await page.waitForSelector(".now");
  page.step = () => page.evaluate(() => +document.querySelector('.where b').textContent);
  page.count = () => page.evaluate(() => +/\/ (\d+)/.exec(document.querySelector('.where').textContent)[1]);
  page.what = () => page.locator('.what').textContent();
  page.press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  return page;
}
