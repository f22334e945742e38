import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as grad from '@gradgate/core';
import { afterAll, describe, expect, it } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const folder = mkdtempSync(join(root, 'node_modules', '.compiled-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** TypeScript 7 has no ES5 target any more; its predecessor, which has, is what the `test` workspace depends on. */
const compiler = createRequire(import.meta.url).resolve('typescript/lib/tsc.js');

function compile(target: 'es5' | 'es2015', legacy: boolean): string {
  const out = join(folder, `${target}-${legacy}`);
  execFileSync(process.execPath, [
    compiler,
    join(here, 'fixture.ts'),
    '--target',
    target,
    '--outDir',
    out,
    '--downlevelIteration',
    '--skipLibCheck',
    '--module',
    'esnext',
    '--moduleResolution',
    'bundler',
    '--moduleDetection',
    'force',
    '--lib',
    'es2023,esnext.decorators,esnext.disposable,dom',
    ...(legacy ? ['--experimentalDecorators'] : []),
  ]);
  return readFileSync(join(out, 'fixture.js'), 'utf8').replace(/^export \{\};$/m, '');
}

describe.each([
  ['es5', false],
  ['es5', true],
  ['es2015', false],
  ['es2015', true],
] as const)('compiled to %s, legacy decorators: %s', (target, legacy) => {
  it('generators, async functions and decorated methods keep their mode', async () => {
    const code = compile(target, legacy);
    expect(/\basync\b/.test(code.replace(/\/\/.*|async ?:/g, ''))).toBe(false);
    if (target === 'es5') expect(code).not.toMatch(/function ?\*/);
    const result = await new Promise((done) => new Function('grad', 'done', code)(grad, done));
    expect(result).toEqual([
      false,
      true,
      ['in', false],
      true,
      true,
      [false, false],
      true,
      [false, true, false, true],
      false,
      [false],
      true,
      true,
    ]);
  });
});
