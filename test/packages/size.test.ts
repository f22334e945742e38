import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { root } from './pack.js';

/** Bytes of a program in a browser, minified, and the same compressed. The packages are taken as built. */
async function measure(program: string, external: string[] = []): Promise<{ minified: number; gzip: number }> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external,
    write: false,
  });
  const code = outputFiles[0]!.contents;
  return { minified: code.length, gzip: gzipSync(code, { level: 9 }).length };
}

const budgets: [what: string, program: string, external: string[], gzipBudget: number][] = [
  ['one function and noGrad of core', `export { tensor, noGrad } from '@gradgate/core'`, [], 98_400],
  ['all of core', `export * from '@gradgate/core'`, [], 116_200],
  [
    'linalg beside core',
    `export * from '@gradgate/core'; export * as linalg from '@gradgate/core/linalg'`,
    [],
    131_500,
  ],
  [
    'special beside core',
    `export * from '@gradgate/core'; export * as special from '@gradgate/core/special'`,
    [],
    120_000,
  ],
  [
    'complex beside core',
    `export * from '@gradgate/core'; export * as complex from '@gradgate/core/complex'`,
    [],
    122_000,
  ],
  ['more beside core', `export * from '@gradgate/core'; export * as more from '@gradgate/core/more'`, [], 121_500],
  [
    'aliases beside core',
    `export * from '@gradgate/core'; export * as aliases from '@gradgate/core/aliases'`,
    [],
    121_000,
  ],
  [
    'complex matrices beside core',
    `export * from '@gradgate/core'; export * as linalg from '@gradgate/core/complex/linalg'`,
    [],
    138_000,
  ],
  [
    'sparse beside core',
    `export * from '@gradgate/core'; export * as sparse from '@gradgate/core/sparse'`,
    [],
    124_500,
  ],
  ['fft beside core', `export * from '@gradgate/core'; export * as fft from '@gradgate/core/fft'`, [], 129_000],
  ['autocast beside core', `export * from '@gradgate/core'; export * from '@gradgate/core/autocast'`, [], 119_000],
  ['func beside core', `export * from '@gradgate/core'; export * as func from '@gradgate/core/func'`, [], 125_000],
  ['compile beside core', `export * from '@gradgate/core'; export * from '@gradgate/core/compile'`, [], 127_800],
  ['all of nn, without core', `export * from '@gradgate/nn'`, ['@gradgate/core'], 89_300],
  ['one layer of nn, without core', `export { Linear } from '@gradgate/nn'`, ['@gradgate/core'], 7_850],
  ['all of core/grad', `export * from '@gradgate/core/grad'`, [], 10_000],
  ['noGrad of core/grad', `export { noGrad } from '@gradgate/core/grad'`, [], 9_000],
];

// Budgets are about a tenth above what was measured: whoever adds more than that raises them, and says so.
it.each(budgets)('%s', async (what, program, external, budget) => {
  const { minified, gzip } = await measure(program, external);
  console.log(`${what}: ${minified} bytes minified, ${gzip} gzip, budget ${budget}`);
  expect(gzip).toBeLessThan(budget);
  // A budget far above the size would let it grow unseen.
  expect(gzip).toBeGreaterThan(budget / 1.5);
});
