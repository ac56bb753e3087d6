// Bundles the page into one file, src/trace/page/page.html, which the crate includes. With --check it only says whether that file
// is what these sources make.
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const BUILT = here('../src/trace/page/page.html');

async function bundle(entry, options) {
  const built = await build({ entryPoints: [here(entry)], bundle: true, minify: true, write: false, legalComments: 'none', charset: 'utf8', ...options });
  return built.outputFiles[0].text.trim();
}

const script = await bundle('src/main.jsx', { format: 'iife', target: 'es2022', jsx: 'automatic', jsxImportSource: 'preact' });
const style = await bundle('src/style.css', {});
if (/<\/(script|style)/i.test(script + style)) throw new Error('an end tag in the bundle');

const page = `<!doctype html>
<!-- Built by page/build.mjs. Do not edit. Contains Preact (MIT, Jason Miller). -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>squall</title>
<style>${style}</style>
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript. 这个页面需要 JavaScript。</noscript>
<script type="application/json" id="trace">@trace@</script>
<script>${script}</script>
</body>
</html>
`;

if (process.argv.includes('--check')) {
  if (readFileSync(BUILT, 'utf8') !== page) {
    console.error('src/trace/page/page.html is not what page/src makes: run `npm run build` in page/');
    process.exit(1);
  }
} else {
  writeFileSync(BUILT, page);
  console.log(`page.html: ${Buffer.byteLength(page)} bytes`);
}
