import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import gradgate, { type Options } from '@gradgate/unplugin';
import { build } from 'esbuild';
import { build as buildByVite } from 'vite';
import { afterAll, expect, it } from 'vitest';
import { lower } from '../../packages/unplugin/src/lower.js';
import { makeProject } from './bundlers.js';

const folder = mkdtempSync(join(tmpdir(), 'gradgate-lower-'));
afterAll(() => rmSync(folder, { recursive: true }));
symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
const hideHooks = fileURLToPath(new URL('./hideHooks.mjs', import.meta.url));

async function bundle(files: Record<string, string>, options: Options = {}): Promise<string> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const outfile = join(folder, 'out.mjs');
  const entryPoints = [join(folder, Object.keys(files)[0]!)];
  await build({
    entryPoints,
    bundle: true,
    format: 'esm',
    outfile,
    logLevel: 'silent',
    plugins: [gradgate.esbuild(options)],
  });
  return outfile;
}
const run = (file: string) => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', hideHooks, file], { encoding: 'utf8' });
  return stdout + stderr;
};

const both = { async: true, decorators: true };

it('leaves alone what the options do not name', async () => {
  const source = 'class A { @d async m() { await 1; } }';
  const onlyAsync = await lower(source, {}, { async: true, decorators: false });
  expect(onlyAsync.code).toMatch(/@d\s+m\(\)/);
  expect(onlyAsync.code).toContain('asyncFunction as __async');
  const onlyDecorators = await lower(source, {}, { async: false, decorators: true });
  expect(onlyDecorators.code).toMatch(/async m\(\)/);
  expect(onlyDecorators.code).not.toContain('@d');
});

it('keeps what awaits outside of functions, with literals and loops, also where a line has several', async () => {
  const source = `const é = [await 0, await null, await 'a', (await f()).x]; for await (const x of y) await x;\nexport { é };`;
  const { code } = await lower(`${source} async function f() { return await 1; }`, {}, both);
  expect(code).toMatch(/const é = \[await 0, await null, await "a", \(await f\(\)\)\.x\]/);
  expect(code).toMatch(/^for await \(const x of y\)\s+await x;$/m);
  expect(code).toContain('yield 1');
});

it('reports errors of syntax as they are', async () => {
  await expect(lower('await 1; const = 2; async () => {};', {}, both)).rejects.toThrow(/Expected identifier/);
});

it('maps places of the code to those of the source', async () => {
  const source = `async function f() {\n  await 1;\n  throw new Error('here');\n}\n`;
  const { code, map } = await lower(source, { sourcefile: 'f.js' }, both);
  const line = code.split('\n').findIndex((l) => l.includes("'here'") || l.includes('"here"'));
  const { mappings } = JSON.parse(map) as { mappings: string };
  // The first segment of the line that throws: each value is relative to the one before.
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  let sourceLine = 0;
  const first: number[] = [];
  for (const text of mappings.split(';')) {
    let start = -1;
    for (const segment of text.split(',').filter(Boolean)) {
      const values: number[] = [];
      let [value, shift] = [0, 0];
      for (const c of segment) {
        const digit = digits.indexOf(c);
        value += (digit & 31) << shift;
        shift += 5;
        if (digit & 32) continue;
        values.push(value & 1 ? -(value >> 1) : value >> 1);
        [value, shift] = [0, 0];
      }
      sourceLine += values[2] ?? 0;
      if (start < 0) start = sourceLine;
    }
    first.push(start);
  }
  expect(first[line]).toBe(2);
});

it('serves modules of CommonJS', async () => {
  const file = await bundle({
    'main.js': `import { work } from './work.cjs'; import { noGrad } from '@gradgate/core/grad'; console.log(await noGrad.run(work));`,
    'work.cjs': `const { isGradEnabled } = require('@gradgate/core/grad');
      exports.work = async () => { await null; return isGradEnabled(); };`,
  });
  expect(run(file)).toBe('false\n');
});

it('leaves packages alone unless it is asked for them', async () => {
  const files = {
    'main.js': `import { work } from './vendor/node_modules/work.js'; import { noGrad } from '@gradgate/core/grad';
      try { console.log(await noGrad.run(work)); } catch (error) { console.log(error.name); }`,
  };
  makeProject(join(folder, 'vendor'), 'js');
  rmSync(join(folder, 'vendor/node_modules'));
  const source = `import { isGradEnabled } from '@gradgate/core/grad'; export const work = async () => { await null; return isGradEnabled(); };`;
  const { mkdirSync } = await import('node:fs');
  mkdirSync(join(folder, 'vendor/node_modules'));
  writeFileSync(join(folder, 'vendor/node_modules/work.js'), source);
  expect(run(await bundle(files))).toBe('GradModeError\n');
  expect(run(await bundle(files, { exclude: [] }))).toBe('false\n');
});

const legacy = {
  'legacy.ts': `import { isGradEnabled, noGrad } from '@gradgate/core';
    class A {
      @noGrad async m() { await null; return isGradEnabled(); }
      static m(target: object, key: string) { console.log(typeof target, key); }
      @A.m other() {}
    }
    console.log(await new A().m());`,
  'tsconfig.json': `{ "compilerOptions": { "experimentalDecorators": true, "target": "es2022", "module": "nodenext" } }`,
};

it('serves the legacy dialect of decorators, with esbuild and with Vite', async () => {
  expect(run(await bundle(legacy))).toBe('object other\nfalse\n');
  await buildByVite({
    root: folder,
    configFile: false,
    logLevel: 'error',
    plugins: [gradgate.vite()],
    build: {
      lib: { entry: join(folder, 'legacy.ts'), formats: ['es'], fileName: () => 'byVite.mjs' },
      outDir: join(folder, 'dist'),
      target: 'es2022',
    },
  });
  expect(run(join(folder, 'dist/byVite.mjs'))).toBe('object other\nfalse\n');
});

it('is what covers the checks: without it they fail', async () => {
  makeProject(join(folder, 'plain'), 'ts');
  await build({
    entryPoints: [join(folder, 'plain/node.ts')],
    bundle: true,
    format: 'esm',
    outfile: join(folder, 'plain.mjs'),
    plugins: [gradgate.esbuild({ async: false })],
  });
  const failed = Object.keys(JSON.parse(run(join(folder, 'plain.mjs'))));
  expect(failed).toEqual(
    expect.arrayContaining(['asyncMethods', 'interleavedFlows', 'asyncGenerators', 'randomPrograms']),
  );
});
