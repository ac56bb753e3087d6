// Makes the pictures in the README from the real things: `node scripts/pictures.mjs`, after `npm ci` in page/ and
// `cargo build --package squall-cli`. It needs Chromium, and tmux for the stepper.
import { createRequire } from 'node:module';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { screen } from './screen.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { chromium } = createRequire(join(root, 'page/'))('playwright-core');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const directory = mkdtempSync(join(tmpdir(), 'squall-picture-'));
const squall = join(root, 'target/debug/squall');
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });

const file = join(directory, 'page.html');
execFileSync(squall, ['trace', 'interleaving', '--format', 'html', '-o', file]);
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.goto(`${pathToFileURL(file).href}#step=40&lang=en&theme=light&runner=rust&timeline=lanes`);
await page.waitForSelector('.now');
await page.screenshot({ path: join(root, 'docs/page.png') });

const terminal = join(directory, 'step.html');
const command = `${squall} step interleaving --lang en --theme dark --no-questions`;
writeFileSync(terminal, await screen({ command, width: 140, height: 40, keys: ['/', 'into flush', 'Enter'] }));
const shown = await browser.newPage({ viewport: { width: 1400, height: 900 } });
await shown.goto(pathToFileURL(terminal).href);
await shown.locator('pre').screenshot({ path: join(root, 'docs/step.png') });
await browser.close();
