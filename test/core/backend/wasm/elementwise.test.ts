import { Generator, randn, type Tensor } from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BinaryKernel,
  binaryByKernel,
  type UnaryKernel,
} from '../../../../packages/core/src/backend/wasm/elementwise.js';
import { kernelMemory } from '../../../../packages/core/src/backend/wasm/memory.js';
import { binaryKernels, unaryKernels } from '../../../../packages/core/src/backend/wasm/names.js';
import { functions } from '../../../../packages/core/src/ops/define.js';
import { bits, instances, near, normals, run } from './run.js';

/** What kernels take beside their operands. */
const parameters: Partial<Record<UnaryKernel | BinaryKernel, readonly [number, number?]>> = {
  clamp: [-1.5, 2],
  clampGradient: [-1.5, 2],
  hardtanhGradient: [-1.5, 2],
  elu: [1.25],
  eluGradient: [1.25],
  leakyRelu: [0.125],
  leakyReluGradient: [0.125],
};

/** Functions of several steps: beyond these values a step overflows float32, or cancels. */
const inFloat32: Partial<Record<UnaryKernel | BinaryKernel, number>> = {
  eluGradient: 12,
  geluGradient: 12,
  reciprocalGradient: 1e12,
  rsqrtGradient: 1e12,
  sigmoidGradient: 1e12,
  siluGradient: 12,
  squareGradient: 1e12,
  tanhGradient: 1e12,
};

/** Within 4 units in the last place of float32, or `slack`: of terms that cancel, or of results below the normal range. */
function expectClose(got: number, exact: number, slack: number, what: string): void {
  const want = Math.fround(exact);
  if (Object.is(got, want) || (got === 0 && want === 0) || (Number.isNaN(got) && Number.isNaN(want))) return;
  const error = Math.abs(got - exact);
  expect(error, `${what}: got ${got}, expected ${exact}`).toBeLessThanOrEqual(Math.max(Math.abs(exact) * 5e-7, slack));
}

const special = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e-8,
  -1e-8,
  1e-40,
  88.7,
  89,
  104,
  -87,
  -88.5,
  -103,
  -105,
  1e30,
  -1e30,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
];
const sizes = fc.integer({ min: 1, max: 37 });

function values(n: number, seed: number): Float32Array {
  const generator = new Generator(seed);
  return Float32Array.from({ length: n }, (_, i) =>
    i % 3 === 0 ? special[generator.below(special.length)]! : generator.normal() * 4,
  );
}

describe('loops of the host agree with the definition to the last bit', () => {
  // Of float64, so that nothing is rounded behind them.
  const [x, y] = [values(400, 1), values(400, 2)].map((v) => Float64Array.from(v)) as [Float64Array, Float64Array];

  it.each([...functions.unary.values()].filter(({ loop }) => loop).map((fn) => [fn.name, fn] as const))(
    '%s',
    (_, fn) => {
      const got = new Float64Array(300);
      fn.loop!(got, 300, x, 50, -1.5, 2);
      expect(got).toEqual(Float64Array.from(got, (_, i) => fn.forward(x[50 + i]!, -1.5, 2)));
    },
  );

  it.each([...functions.binary.values()].filter(({ loop }) => loop).map((fn) => [fn.name, fn] as const))(
    '%s',
    (_, fn) => {
      for (const arrays of [Float64Array, Float32Array]) {
        const [a, b, got] = [arrays.from(x), arrays.from(y), new arrays(300)];
        fn.loop!(got, 100, 200, a, 1, 1, b, 399, -2, -1.5, 2);
        const want = got.map((_, i) =>
          i < 100 ? 0 : Number(fn.forward(a[i - 99]!, b[399 - 2 * (i - 100)]!, -1.5, 2)),
        );
        expect(got).toEqual(want);
      }
    },
  );
});

describe.each(instances)('elementwise kernels %s', (_, memory) => {
  const { kernels } = memory.instance;

  it.each(unaryKernels)('%s agrees with the definition, for any number of elements', (name) => {
    const definition = functions.unary.get(name)!.forward;
    const [first, second = 0] = parameters[name] ?? [0];
    fc.assert(
      fc.property(sizes, fc.nat(), (n, seed) => {
        const x = values(n, seed);
        memory.begin('test', 1024);
        const [from, to] = [memory.put(x, 0, n), memory.take(256)];
        kernels[name](to, from, n, first, second);
        const got = new Float32Array(n);
        memory.get(to, got, 0, n);
        x.forEach((v, i) => {
          if (Math.abs(v) > (inFloat32[name] ?? Number.POSITIVE_INFINITY)) return;
          const slack = name === 'gelu' ? 2e-7 : name === 'silu' ? 1e-37 : 3e-45;
          expectClose(got[i]!, definition(v, first, second), slack, `${name}(${v})`);
        });
      }),
    );
  });

  it.each(binaryKernels)('%s agrees with the definition', (name) => {
    const definition = functions.binary.get(name)!.forward;
    const [first, second = 0] = parameters[name] ?? [0];
    fc.assert(
      fc.property(sizes, fc.nat(), (n, seed) => {
        const [x, y] = [values(n, seed), values(n, seed + 1)];
        memory.begin('test', 2048);
        const [a, b, to] = [memory.put(x, 0, n), memory.put(y, 0, n), memory.take(256)];
        kernels[name](to, a, b, n, first, second);
        const got = new Float32Array(n);
        memory.get(to, got, 0, n);
        x.forEach((v, i) => {
          const limit = inFloat32[name];
          const odd = limit !== undefined && (Math.abs(y[i]!) > limit || !Number.isFinite(v));
          if (odd || (limit === 12 && Math.abs(v) > 100)) return;
          const cancels = ['geluGradient', 'siluGradient', 'tanhGradient'].includes(name);
          const slack = cancels
            ? 3e-7 * (1 + Math.abs(v)) * (name === 'siluGradient' ? 1 + Math.abs(y[i]!) : 1)
            : 1e-44;
          expectClose(got[i]!, definition(v, y[i]!, first, second), slack, `${name}(${v}, ${y[i]})`);
        });
      }),
    );
  });

  it.each<[string, number[], (rows: number, n: number) => number[], 0 | 1]>([
    ['behind one another', [1024, 64], (rows, n) => Array.from({ length: rows }, (_, r) => 5 + r * n), 1],
    ['one again and again', [1024, 64], (rows) => Array(rows).fill(5), 1],
    ['in any order', [1000, 3], (rows, n) => Array.from({ length: rows }, (_, r) => ((r * 7) % rows) * n), 1],
    ['each of one number', [300, 50], (rows) => Array.from({ length: rows }, (_, r) => 2 * r), 0],
    ['all of one number', [9000, 1], (rows) => Array(rows).fill(3), 0],
    ['of more than half of a block', [11, 1023], (rows, n) => Array.from({ length: rows }, (_, r) => r * n), 1],
  ])('short rows of an operand: %s', (_, [rows, n], startsOf, step) => {
    const starts = startsOf(rows!, n!);
    const other = Array.from({ length: rows! }, (_, r) => r * n!);
    const take = (length: number, inMemory: boolean) => {
      const array = inMemory ? kernelMemory().array(kernelMemory().heap.allocate(length * 4), length) : null;
      const given = normals(length, 7);
      array?.set(given);
      return array ?? given;
    };
    for (const inMemory of [false, true])
      for (const first of [true, false]) {
        const end = Math.max(...starts) + (step === 0 ? 1 : n!);
        const [x, y, to] = [end, rows! * n!, rows! * n!].map((length) => take(length, inMemory)) as Float32Array[];
        const [ofX, ofY] = [
          { data: x!, step },
          { data: y!, step: 1 as const },
        ];
        if (first) binaryByKernel('sub', to!, n!, ofX, starts, ofY, other);
        else binaryByKernel('sub', to!, n!, ofY, other, ofX, starts);
        for (let r = 0; r < rows!; r++)
          for (let i = 0; i < n!; i++) {
            const [a, b] = [x![starts[r]! + step * i]!, y![r * n! + i]!];
            if (to![r * n! + i] !== Math.fround(first ? a - b : b - a)) expect.unreachable(`row ${r}, element ${i}`);
          }
        // A row that ends behind the array is refused before anything is written.
        const before = to!.slice();
        const short = { data: x!.subarray(0, end - 1), step };
        expect(() => binaryByKernel('sub', to!, n!, short, starts, ofY, other)).toThrow(/would go to element/);
        expect(() => binaryByKernel('sub', to!, n!, ofY, other, short, starts)).toThrow(/would go to element/);
        expect(() => binaryByKernel('sub', to!.subarray(1), n!, ofX, starts, ofY, other)).toThrow(
          /would go to element/,
        );
        expect(to).toEqual(before);
      }
  });

  it('the logarithm of softmax, its gradient, and that of the sum of exponentials', () => {
    const odd = [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1e30];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), sizes, fc.nat(), fc.boolean(), (rows, n, seed, withOdd) => {
        const [x, g] = [normals(rows * n, seed, 20, withOdd ? odd : []), normals(rows * n, seed + 1)];
        const [y, total] = run(memory, [x], [rows * n, rows], (k, from, y, total) => {
          k.logSoftmax(y!, from!, rows, n);
          k.logsumexp(total!, from!, rows, n);
        }) as [Float32Array, Float32Array];
        const [slope] = run(memory, [g, y], [rows * n], (k, g, y, to) => {
          k.logSoftmaxGradient(to!, g!, y!, rows, n, 1);
        });
        for (let r = 0; r < rows; r++) {
          const row = [...x.subarray(r * n, (r + 1) * n)];
          const gs = g.subarray(r * n, (r + 1) * n);
          const top = Math.max(...row);
          const shift = Math.abs(top) === Number.POSITIVE_INFINITY ? 0 : top;
          const log = (shift: number) => Math.log(row.reduce((sum, v) => sum + Math.exp(v - shift), 0));
          expect(near(total[r]!, log(shift) + shift, 3e-7, 1e-6)).toBe(true);
          const sum = gs.reduce((a, v) => a + v, 0);
          row.forEach((v, i) => {
            const want = v - top - log(top);
            expect(near(y[r * n + i]!, want, 3e-7, 2e-6)).toBe(true);
            const size = gs.reduce((a, v) => a + Math.abs(v), 1);
            expect(near(slope![r * n + i]!, gs[i]! - Math.exp(want) * sum, 0, 3e-6 * size)).toBe(true);
          });
        }
      }),
    );
  });

  it('softmax of the first elements, scaled', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), sizes, fc.nat(), (rows, n, seed) => {
        const x = normals(rows * n, seed, 5);
        const generator = new Generator(seed);
        const limits = Int32Array.from({ length: rows }, () => 1 + generator.below(n));
        const [y] = run(memory, [x, bits(limits)], [rows * n], (k, x, limits, y) => {
          k.limitedSoftmax(y!, x!, limits!, rows, n, 0.5);
        }) as [Float32Array];
        for (let r = 0; r < rows; r++) {
          const e = Array.from(x.subarray(r * n, r * n + limits[r]!), (v) => Math.exp(v / 2));
          const sum = e.reduce((a, b) => a + b, 0);
          for (let i = 0; i < n; i++) expect(near(y[r * n + i]!, (e[i] ?? 0) / sum, 2e-6, 1e-7)).toBe(true);
        }
      }),
    );
  });

  it('softmax and its gradient agree with the definition, row by row', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), sizes, fc.nat(), fc.boolean(), (rows, n, seed, odd) => {
        const generator = new Generator(seed);
        const x = Float32Array.from({ length: rows * n }, () => generator.normal() * 20);
        if (odd) x[generator.below(x.length)] = [Number.NaN, Number.NEGATIVE_INFINITY, 1e30][generator.below(3)]!;
        const g = Float32Array.from({ length: rows * n }, () => generator.normal());
        memory.begin('test', rows * n * 16);
        const [from, grad, y, to] = [
          memory.put(x, 0, rows * n),
          memory.put(g, 0, rows * n),
          memory.take(rows * n * 4),
          memory.take(rows * n * 4),
        ];
        kernels.softmax(y, from, rows, n);
        kernels.softmaxGradient(to, grad, y, rows, n, 1);
        const [gotY, got] = [new Float32Array(rows * n), new Float32Array(rows * n)];
        memory.get(y, gotY, 0, rows * n);
        memory.get(to, got, 0, rows * n);
        for (let r = 0; r < rows; r++) {
          const row = [...x.subarray(r * n, (r + 1) * n)];
          const top = row.some(Number.isNaN) ? Number.NaN : Math.max(...row);
          const e = row.map((v) => Math.exp(v - top));
          const sum = e.reduce((a, b) => a + b, 0);
          const want = e.map((v) => v / sum);
          const dot = want.reduce((a, v, i) => a + v * g[r * n + i]!, 0);
          want.forEach((w, i) => {
            const at = r * n + i;
            const nan = Number.isNaN(w);
            expect(nan ? Number.isNaN(gotY[at]) : Math.abs(gotY[at]! - w) < 1e-6).toBe(true);
            expect(nan ? Number.isNaN(got[at]) : Math.abs(got[at]! - w * (g[at]! - dot)) < 2e-6).toBe(true);
          });
        }
      }),
    );
  });
});

it.each<[string, () => [Tensor, Tensor]]>([
  ['a row of 3', () => [randn([5000, 3]), randn([3])]],
  ['the first operand a row of 3', () => [randn([3]), randn([5000, 3])]],
  ['a block of 2 by 2', () => [randn([700, 2, 2]), randn([2, 2])]],
  ['a block that is the first of many', () => [randn([700, 2, 2]), randn([9, 2, 2]).narrow(0, 4, 1)]],
  ['a number for each row', () => [randn([2000, 4]), randn([2000, 1])]],
  ['a number for each block', () => [randn([700, 2, 2]), randn([700, 1, 1])]],
  ['a row for each block, in the middle', () => [randn([700, 2, 2]), randn([700, 1, 2])]],
  ['a column again and again', () => [randn([700, 2, 3]), randn([1, 2, 1])]],
  ['a row and a column', () => [randn([2000, 1]), randn([4])]],
  ['a number for each row, with a dimension of size 1', () => [randn([2000, 1, 4]), randn([2000, 1, 1])]],
  ['a part of rows that lie apart', () => [randn([2000, 9]).narrow(1, 2, 4), randn([4])]],
  ['a transposed row', () => [randn([2000, 4]), randn([2000, 4]).t().narrow(1, 7, 1).t()]],
  ['rows of 16', () => [randn([300, 16]), randn([300, 1])]],
  ['rows of 17', () => [randn([300, 17]), randn([17])]],
])('short rows of tensors: %s gives what float64 gives, to the last bit of float32', (_, make) => {
  const [a, b] = make();
  expect(a.sub(b).toArray()).toEqual(a.double().sub(b.double()).float().toArray());
  expect(b.sub(a).toArray()).toEqual(b.double().sub(a.double()).float().toArray());
});
