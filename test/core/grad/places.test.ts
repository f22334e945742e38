import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'gradgate places (1) '));
const entryPoints = [fileURLToPath(new URL('../../../packages/core/src/grad/index.ts', import.meta.url))];
for (const format of ['cjs', 'esm'] as const)
  buildSync({
    entryPoints,
    bundle: true,
    format,
    platform: 'node',
    outfile: join(folder, `grad.${format === 'cjs' ? 'cjs' : 'mjs'}`),
  });

/** Each line that opens a gate ends with a comment of its name; what is printed are the names and the places. */
const body = `
const found = {};
const note = (name) => { found[name] = grad.gradModeStack()[0].opener; };
grad.setDevelopmentMode(true);
grad.noGrad.run(() => note('top')); // top
new EventEmitter().on('x', () => grad.noGrad.run(() => note('listener'))).on('y', function () { grad.noGrad.run(() => note('listener')); }).emit('x'); // listener
[1].map(() => grad.noGrad.run(() => note('callback'))); // callback
new Promise(() => grad.noGrad.run(() => note('executor'))); // executor
(() => grad.noGrad.run(() => note('anonymous')))(); // anonymous
({ m() { return grad.noGrad.wrap(() => note('wrapped'))(); } }).m(); // wrapped
new (class { x = grad.noGrad.run(() => note('field')); })(); // field
{ const scope = grad.noGrad.enter(); note('scope'); scope[Symbol.dispose](); } // scope
new Function('grad', 'note', 'eval("grad.noGrad.run(() => note(\\'nested\\'))")')(grad, note); // nested
new Function('grad', 'note', 'grad.noGrad.run(() => note("evaluated"))')(grad, note); // evaluated
(async () => { await null; grad.noGrad.run(() => note('later')); })().then(() => console.log(JSON.stringify(found))); // later
`;
const files = {
  'main.cjs': `const grad = require('./grad.cjs');\nconst { EventEmitter } = require('node:events');${body}`,
  'main.mjs': `import * as grad from './grad.mjs';\nimport { EventEmitter } from 'node:events';${body}`,
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);

const runtimes: [name: string, command: string, args: string[]][] = [
  ['Node', process.execPath, []],
  ['Bun', process.env['BUN'] ?? 'bun', ['run']],
  ['Deno', process.env['DENO'] ?? 'deno', ['run', '-A']],
];
describe.each(runtimes)('places in development mode: %s', (runtime, command, args) => {
  const missing = spawnSync(command, ['--version']).status !== 0;
  if (missing) console.log(`skipped on ${runtime}: no ${command}; ${runtime.toUpperCase()}=... names its program`);

  it.skipIf(missing).each(Object.entries(files))('every gate names the line that opened it: %s', (name, text) => {
    const { stdout, stderr } = spawnSync(command, [...args, join(folder, name)], { encoding: 'utf8', cwd: folder });
    expect(stderr).toBe('');
    const found = JSON.parse(stdout) as Record<string, string>;
    const lines = text.split('\n');
    const gates = ['top', 'listener', 'callback', 'executor', 'anonymous', 'wrapped', 'scope', 'later', 'field'];
    // V8 knows who made a function of text.
    for (const gate of runtime === 'Bun' ? gates : [...gates, 'evaluated', 'nested']) {
      const line = lines.findIndex((l) => l.endsWith(`// ${gate}`)) + 1;
      expect([gate, found[gate]]).toEqual([gate, expect.stringMatching(new RegExp(`/${name}:${line}:\\d+$`))]);
    }
    expect(found['evaluated']).toMatch(/:\d+:\d+$/);
  });
});
