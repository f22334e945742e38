import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  backend,
  type DType,
  Generator,
  type Kernels,
  linear,
  overlay,
  randn,
  type Tensor,
  tensor,
  type View,
} from '@gradgate/core';
import { setOpenblasThreads } from '@gradgate/openblas';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { dataOf } from '../../packages/core/src/backend/host/data.js';
import { kernels as wasm } from '../../packages/core/src/backend/wasm/kernels.js';
import { openLibrary } from '../../packages/openblas/src/library.js';
import { productsBy } from '../../packages/openblas/src/product.js';
import { needOpenblas } from '../needs.js';

const cpu = backend('cpu');
const isLoaded = needOpenblas('products by OpenBLAS');
const library = isLoaded ? openLibrary() : null;
/** The embedded kernels: what is there before the package is imported. */
const embedded = wasm;
afterEach(() => {
  cpu.kernels = embedded;
});

/** What `compute` gives with OpenBLAS, how many products went there, and what the embedded kernels give. */
function both(compute: () => Tensor): { got: Tensor; taken: number; want: Tensor } {
  cpu.kernels = embedded;
  const want = compute();
  // What OpenBLAS declines arrives at the kernels under it.
  const [called, declined] = [{ times: 0 }, { times: 0 }];
  const counting = (kernels: Kernels, count: { times: number }): Kernels => ({
    ...kernels,
    matmul(...product) {
      count.times++;
      kernels.matmul(...product);
    },
  });
  const under = counting(embedded, declined);
  cpu.kernels = counting(library ? overlay(under, { matmul: productsBy(library, cpu) }) : under, called);
  return { got: compute(), taken: called.times - declined.times, want };
}

function close({ got, want }: { got: Tensor; want: Tensor }, k: number, dtype: DType = 'float32') {
  expect(got.shape).toEqual(want.shape);
  const [x, y] = [got.toTypedArray(), want.toTypedArray()];
  const tolerance = (dtype === 'float64' ? 1e-14 : 4e-6) * Math.sqrt(k);
  let worst = 0;
  for (let i = 0; i < y.length; i++) worst = Math.max(worst, Math.abs(x[i]! - y[i]!) / Math.max(1, Math.abs(y[i]!)));
  expect(worst).toBeLessThanOrEqual(tolerance);
}

/** How an operand `[rows, columns]` lies in memory. */
const layouts = {
  plain: (rows: number, columns: number, options: object) => randn([rows, columns], options),
  transposed: (rows: number, columns: number, options: object) => randn([columns, rows], options).t(),
  'part of a larger one': (rows: number, columns: number, options: object) =>
    randn([rows + 3, columns + 5], options)
      .narrow(0, 2, rows)
      .narrow(1, 4, columns),
  'part of a larger one, transposed': (rows: number, columns: number, options: object) =>
    randn([columns + 3, rows + 5], options)
      .narrow(0, 1, columns)
      .narrow(1, 2, rows)
      .t(),
  'every second column': (rows: number, columns: number, options: object) =>
    randn([rows, columns, 2], options).select(2, 1),
  'one row repeated': (rows: number, columns: number, options: object) =>
    randn([1, columns], options).expand([rows, columns]),
  'one column repeated': (rows: number, columns: number, options: object) =>
    randn([rows, 1], options).expand([rows, columns]),
  'overlapping windows': (rows: number, columns: number, options: object) =>
    randn([rows + columns], options)
      .unfold(0, columns, 1)
      .narrow(0, 0, rows),
};
type Layout = keyof typeof layouts;
const blasLayouts = Object.keys(layouts).slice(0, 4) as Layout[];

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Runs a program on the built package, as a user does. */
function run(code: string, env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...env },
  });
  return { status, lines: stdout.trim().split('\n'), warnings: stderr.trim() };
}
const program = `
  import { ones } from '@gradgate/core';
  import { isOpenblasLoaded, setOpenblasThreads } from '@gradgate/openblas';
  setOpenblasThreads(1);
  console.log(isOpenblasLoaded(), ones([20, 30]).matmul(ones([30, 40])).sum().item());
`;

describe('without the library', () => {
  it.each([
    ['a file that is not there', '/nowhere'],
    ['a file that is no library', fileURLToPath(import.meta.url)],
  ])('%s: one line says what to do, and products go on', (_, file) => {
    const { status, lines, warnings } = run(program, { GRADGATE_OPENBLAS: file });
    expect(status).toBe(0);
    expect(lines).toEqual(['false 24000']);
    expect(warnings.split('\n')).toHaveLength(1);
    expect(warnings).toContain(file);
    expect(warnings).toMatch(/libopenblas0.*GRADGATE_OPENBLAS/);
  });
});

it.each([0, -1, 1.5, Number.NaN, 2 ** 40, '2'])('setOpenblasThreads refuses %s', (n) => {
  expect(() => setOpenblasThreads(n as number)).toThrow(RangeError);
});

it('a linear layer adds its bias to the product, also where OpenBLAS declines', () => {
  for (const [dtype, tolerance] of [
    ['float32', 1e-5],
    ['float64', 1e-13],
  ] as const)
    for (const [rows, inputs, outputs] of [
      [33, 70, 21],
      [1, 40, 50],
      [2, 3, 4],
      [0, 5, 6],
    ] as const) {
      const [x, w, b] = [
        randn([rows, inputs], { dtype }),
        randn([outputs, inputs], { dtype }),
        randn([outputs], { dtype }),
      ];
      const { got, taken, want } = both(() => linear(x, w, b));
      expect(taken).toBe(Number(library !== null && rows * inputs * outputs >= 256));
      expect(got.shape).toEqual([rows, outputs]);
      if (rows > 0) expect(got.sub(want).abs().max().item()).toBeLessThan(tolerance * Math.sqrt(inputs) * 10);
      if (rows > 0)
        expect(got.sub(x.matmul(w.t()).add(b)).abs().max().item()).toBeLessThan(tolerance * Math.sqrt(inputs) * 10);
    }
});

it('an overlay of a kernel that does not exist is refused', () => {
  expect(() => overlay(embedded, { product: { accepts: () => true, run() {} } } as never)).toThrow(/no kernel product/);
});

it('there is no backend of an unknown name', () => {
  expect(() => backend('tpu')).toThrow(/no device 'tpu'/);
});

describe.skipIf(!isLoaded)('with the library', () => {
  it('is there after the import alone, and prints nothing', () => {
    expect(run(program)).toEqual({ status: 0, lines: ['true 24000'], warnings: '' });
  });

  it('works in a worker beside the main thread', () => {
    const { status, lines, warnings } = run(`
      import { Worker } from 'node:worker_threads';
      const code = ${JSON.stringify(program)};
      const url = 'data:text/javascript,' + encodeURIComponent(code.replaceAll(/'(@gradgate\\/\\w+)'/g,
        (_, name) => JSON.stringify(import.meta.resolve(name))));
      new Worker(new URL(url));
      ${program}
    `);
    expect({ status, lines, warnings }).toEqual({ status: 0, lines: ['true 24000', 'true 24000'], warnings: '' });
  });

  const layout = fc.constantFrom(...(Object.keys(layouts) as Layout[]));
  const size = fc.integer({ min: 1, max: 70 });
  it.each(['float32', 'float64'] as const)(
    '%s products of any shapes and layouts are as the embedded ones',
    (dtype) => {
      fc.assert(
        fc.property(size, size, size, layout, layout, fc.nat(), (m, n, k, la, lb, seed) => {
          const options = { dtype, generator: new Generator(seed) };
          const a = layouts[la](m, k, options);
          const b = layouts[lb](k, n, options);
          close(
            both(() => a.matmul(b)),
            k,
            dtype,
          );
        }),
        { numRuns: 300 },
      );
    },
  );

  it.each(blasLayouts.flatMap((a) => blasLayouts.map((b) => [a, b] as const)))('takes: %s @ %s', (la, lb) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const options = { dtype, generator: new Generator(3) };
      const [a, b] = [layouts[la](33, 47, options), layouts[lb](47, 29, options)];
      const result = both(() => a.matmul(b));
      expect(result.taken).toBe(1);
      close(result, 47, dtype);
    }
  });

  it.each(['every second column', 'one row repeated', 'overlapping windows'] as const)(
    'leaves to the embedded kernels: %s',
    (name) => {
      const options = { generator: new Generator(4) };
      const [a, b] = [layouts[name](33, 47, options), randn([47, 29], options)];
      const result = both(() => a.matmul(b));
      expect(result.taken).toBe(0);
      expect(result.got.equal(result.want)).toBe(true);
    },
  );

  it('leaves integers and small products to the embedded kernels', () => {
    const integers = tensor(Int32Array.from({ length: 400 }, (_, i) => i % 7)).reshape([20, 20]);
    expect(both(() => integers.matmul(integers)).taken).toBe(0);
    expect(both(() => randn([3, 4]).matmul(randn([4, 5]))).taken).toBe(0);
  });

  it('takes vectors and every matrix of a batch, each at its place', () => {
    const options = { generator: new Generator(5) };
    const [batch, each] = [randn([3, 20, 30], options), randn([2, 1, 30, 20], options)];
    const many = both(() => batch.matmul(each));
    expect(many.taken).toBe(1);
    close(many, 30);
    const [row, matrix, column] = [randn([300], options), randn([300, 200], options), randn([200], options)];
    const rowTimes = both(() => row.matmul(matrix));
    const timesColumn = both(() => matrix.matmul(column));
    expect([rowTimes.taken, timesColumn.taken]).toEqual([1, 1]);
    close(rowTimes, 300);
    close(timesColumn, 200);
  });

  it.each([
    [0, 40, 40],
    [40, 0, 40],
    [40, 40, 0],
  ])('sizes of zero: m %i, n %i, k %i', (m, n, k) => {
    const { got, want } = both(() => randn([m, k]).matmul(randn([k, n])));
    expect(got.shape).toEqual([m, n]);
    expect(got.equal(want)).toBe(true);
  });

  it.each([
    [40, 30],
    [1, 30],
    [40, 1],
  ])('NaN and infinity go through as in the embedded kernels: m %i, n %i', (m, n) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const options = { dtype, generator: new Generator(6) };
      const a = randn([m, 50], options);
      const b = randn([50, n], options);
      const [x, y] = [dataOf(a), dataOf(b)];
      // A zero beside them: 0 * NaN and 0 * Infinity are NaN, and must not be skipped.
      x.fill(0, 0, 50);
      x[7] = Number.NaN;
      if (m > 2) x[2 * 50 + 9] = Number.POSITIVE_INFINITY;
      y[11 * n] = Number.NaN;
      if (n > 2) y[12 * n + 1] = Number.NEGATIVE_INFINITY;
      const { got, taken, want } = both(() => a.matmul(b));
      expect(taken).toBe(1);
      const kinds = (t: Tensor) => Array.from(t.toTypedArray(), (v) => (Number.isFinite(v) ? 0 : v));
      expect(kinds(got)).toEqual(kinds(want));
      expect(kinds(got).some(Number.isNaN)).toBe(true);
    }
  });

  it('gradients are as the embedded ones', () => {
    const options = { generator: new Generator(7) };
    const [x, w] = [randn([32, 48], options), randn([48, 24], options)];
    for (const operand of [0, 1]) {
      const result = both(() => {
        const leaves = [x.clone().requiresGrad_(), w.clone().requiresGrad_()] as const;
        leaves[0].matmul(leaves[1]).square().sum().backward();
        return leaves[operand]!.grad!;
      });
      expect(result.taken).toBe(3);
      close(result, 48 * 24);
    }
  });

  it('never reads or writes beyond an array', () => {
    const matrix = (length: number, offset = 0): View => {
      const { storage, dtype } = tensor(new Float32Array(length));
      return { storage, dtype, shape: [16, 16], numel: 256, strides: [16, 1], offset, isContiguous: true };
    };
    const { accepts } = productsBy(library!, cpu);
    const product = (a: View, b: View, out: View) => accepts(a, false, b, false, out, null);
    expect(product(matrix(256), matrix(256), matrix(256))).toBe(true);
    expect(product(matrix(255), matrix(256), matrix(256))).toBe(false);
    expect(product(matrix(256), matrix(256, 1), matrix(256))).toBe(false);
    expect(product(matrix(256), matrix(256), matrix(255))).toBe(false);
    // Large enough for an array of its own.
    const transferred = matrix(1024);
    structuredClone(cpu.read(transferred.storage).buffer, {
      transfer: [cpu.read(transferred.storage).buffer as ArrayBuffer],
    });
    expect(product(transferred, matrix(256), matrix(256))).toBe(false);
  });

  it('setOpenblasThreads does not change what comes out', () => {
    const [a, b] = [randn([200, 300]), randn([300, 250])];
    setOpenblasThreads(1);
    const one = both(() => a.matmul(b));
    setOpenblasThreads(2);
    close(one, 300);
    close({ got: both(() => a.matmul(b)).got, want: one.want }, 300);
  });
});
