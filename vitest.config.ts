import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { defineConfig, type Plugin } from 'vitest/config';

const source = (name: string) => fileURLToPath(new URL(`packages/${name}/src`, import.meta.url));

/**
 * Vite's own transformer lowers legacy decorators but not standard ones, and Node cannot parse them yet. Files outside a
 * `legacy` folder that contain a decorator go through esbuild first.
 */
const standardDecorators: Plugin = {
  name: 'standard-decorators',
  enforce: 'pre',
  async transform(code, id) {
    if (!/\.ts$/.test(id) || id.includes('/legacy/') || !/^\s*(@[\w.]+|using |await using )|[;{]\s*@\w+/m.test(code))
      return;
    const { code: js, map } = await transform(code, {
      loader: 'ts',
      target: 'es2022',
      sourcemap: true,
      sourcefile: id,
      tsconfigRaw: {},
    });
    return { code: js, map };
  },
};

export default defineConfig({
  plugins: [standardDecorators],
  // The tests run on the sources; `npm test` builds first because the examples use the built packages, as users do.
  resolve: {
    alias: [
      { find: /^@gradgate\/core\/grad$/, replacement: `${source('core')}/grad/index.ts` },
      { find: /^@gradgate\/core\/lowered$/, replacement: `${source('core')}/grad/lowered.ts` },
      {
        find: /^@gradgate\/core\/(aliases|autocast|compile|complex|complex\/linalg|fft|func|linalg|more|sparse|special)$/,
        replacement: `${source('core')}/$1/index.ts`,
      },
      { find: /^@gradgate\/core\/(checkpoint|gradcheck)$/, replacement: `${source('core')}/autograd/$1.ts` },
      { find: /^@gradgate\/core\/internal$/, replacement: `${source('core')}/internal.ts` },
      { find: /^@gradgate\/nn\/internal$/, replacement: `${source('nn')}/internal.ts` },
      { find: /^@gradgate\/core\/matchers$/, replacement: `${source('core')}/matchers.ts` },
      { find: /^gradgate$/, replacement: `${source('gradgate')}/index.ts` },
      {
        find: /^@gradgate\/([\w-]+)$/,
        replacement: `${fileURLToPath(new URL('packages', import.meta.url))}/$1/src/index.ts`,
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    setupFiles: [
      // `npm run test:memory`: everything that can be is in kernel memory, freed memory reads as NaN, and the kernels are those
      // without fused multiply-add.
      ...(process.env['GRADGATE_TEST_MEMORY'] ? ['test/poison.ts'] : []),
      // `npm run test:native`: the same, with native kernels.
      ...(process.env['GRADGATE_TEST_NATIVE'] ? ['test/native.ts'] : []),
    ],
  },
});
