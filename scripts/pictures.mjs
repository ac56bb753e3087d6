// Makes the picture of the page in the README from the real thing: `node scripts/pictures.mjs`, after `npm ci` in page/ and
// `cargo build --package squall-cli`.
import { createRequire } from 'node:module';
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { chromium } = createRequire(join(root, 'page/'))('playwright-core');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const directory = mkdtempSync(join(tmpdir(), 'squall-picture-'));
const file = join(directory, 'page.html');

execFileSync(join(root, 'target/debug/squall'), ['trace', 'interleaving', '--format', 'html', '-o', file]);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.goto(`${pathToFileURL(file).href}#step=40&lang=en&theme=light&runner=rust&timeline=lanes`);
await page.waitForSelector('.now');
await page.screenshot({ path: join(root, 'docs/page.png') });
await browser.close();
