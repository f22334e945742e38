import { readFileSync } from 'node:fs';
import * as core from '@gradgate/core';
import {
  add,
  type DType,
  DTypeError,
  full,
  ones,
  packTensor,
  promoteTypes,
  type Tensor,
  tensor,
  unpackTensor,
  where,
  zeros,
} from '@gradgate/core';
import { describe, expect, test } from 'vitest';

interface Golden {
  promotion: [DType, DType, DType, DType][];
  values: [DType, 'bool' | 'int' | 'float', DType][];
  binary: Record<string, [DType, DType, DType | 'missing' | null][]>;
  unary: Record<string, [DType, DType | 'missing' | null][]>;
}
const golden: Golden = JSON.parse(readFileSync(new URL('../../golden/dtypes.json', import.meta.url), 'utf8'));
const all: readonly DType[] = [
  'bool',
  'uint8',
  'int8',
  'int16',
  'int32',
  'int64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
];
const floats = all.slice(6);
const integers = all.slice(1, 6);

const dtypeOf = (run: () => unknown): DType | null => {
  let out: unknown;
  try {
    out = run();
  } catch (error) {
    if (!(error instanceof DTypeError)) throw error;
    return null;
  }
  return ((out as { values?: Tensor }).values ?? (out as Tensor)).dtype;
};

describe('promotion is PyTorch’s', () => {
  test('of two tensors with dimensions, and of one without beside one with', () => {
    for (const [a, b, both, scalar] of golden.promotion) {
      expect([a, b, promoteTypes(a, b)]).toEqual([a, b, both]);
      const [x, y] = [ones([2], { dtype: a }), ones([2], { dtype: b })];
      expect([a, b, add(x, y).dtype]).toEqual([a, b, both]);
      expect([a, b, add(x, y.at(0)).dtype]).toEqual([a, b, scalar]);
      expect([a, b, add(y.at(0), x).dtype]).toEqual([a, b, scalar]);
      expect([a, b, where(tensor([true, false]), x, y.at(0)).dtype]).toEqual([a, b, scalar]);
    }
  });

  test('of a sum with alpha, which is that without', () => {
    for (const [a, b, both] of golden.promotion)
      expect([a, b, ones([2], { dtype: a }).add(ones([2], { dtype: b }), { alpha: 2 }).dtype]).toEqual([a, b, both]);
  });

  test('of a tensor and a plain value', () => {
    const of = { bool: true, int: 2, float: 2.5 };
    for (const [a, kind, expected] of golden.values)
      for (const x of [ones([2], { dtype: a }), ones([], { dtype: a })])
        expect([a, kind, add(x, of[kind]).dtype]).toEqual([a, kind, expected]);
  });

  // What PyTorch's CPU lacks in a dtype is there; these differ on purpose: see docs/coming-from-pytorch.md.
  const apart = new Set(['any uint8', 'all uint8']);
  test.each(Object.keys(golden.binary))('%s has its dtype, or is refused', (name) => {
    const op = (core as never as Record<string, (a: Tensor, b: Tensor) => Tensor>)[name]!;
    for (const [a, b, expected] of golden.binary[name]!) {
      if (expected === 'missing') continue;
      const [x, y] = [ones([2], { dtype: a }), ones([2], { dtype: b })];
      const run = name === 'where' ? () => where(tensor([true, false]), x, y) : () => op(x, y);
      expect([a, b, dtypeOf(run)]).toEqual([a, b, expected]);
    }
  });

  test.each(Object.keys(golden.unary))('%s has its dtype, or is refused', (name) => {
    const calls: Record<string, (x: Tensor) => unknown> = {
      cumsum: (x) => x.cumsum(0),
      cumprod: (x) => x.cumprod(0),
      flip: (x) => x.flip(0),
      logsumexp: (x) => x.logsumexp(0),
      softmax: (x) => x.softmax(0),
      logSoftmax: (x) => x.logSoftmax(0),
      clamp: (x) => x.clamp(0, 1),
      cat: (x) => core.cat([x, x]),
    };
    const op = calls[name] ?? (core as never as Record<string, (x: Tensor) => unknown>)[name]!;
    for (const [a, expected] of golden.unary[name]!)
      if (expected !== 'missing' && !apart.has(`${name} ${a}`))
        expect([a, dtypeOf(() => op(ones([2], { dtype: a })))]).toEqual([a, expected]);
  });
});

describe('what a dtype holds', () => {
  test('is 0 or 1 in bool, whatever is written', () => {
    const t = tensor([true, false, true]);
    const bits = (x: Tensor) => [...x.toTypedArray()];
    expect(bits(t.add(t))).toEqual([1, 0, 1]);
    expect(bits(full([2], 3, { dtype: 'bool' }))).toEqual([1, 1]);
    expect(bits(full([2], Number.NaN, { dtype: 'bool' }))).toEqual([1, 1]);
    expect(bits(tensor([2, 0, -1], { dtype: 'bool' }))).toEqual([1, 0, 1]);
    expect(bits(zeros([2], { dtype: 'bool' }).fill_(7))).toEqual([1, 1]);
    expect(bits(zeros([3], { dtype: 'bool' }).copy_(tensor([0, 5, 256]).int()))).toEqual([0, 1, 1]);
    expect(bits(zeros([2], { dtype: 'bool' }).scatter(0, tensor([1]).int(), 9))).toEqual([0, 1]);
    expect(bits(t.maskedFill(tensor([false, true, false]), 4))).toEqual([1, 1, 1]);
    expect(bits(zeros([2], { dtype: 'bool' }).indexFill(0, tensor([0]).int(), 2))).toEqual([1, 0]);
    expect(bits(tensor([256, 2 ** 32, 0.5]).bool())).toEqual([1, 1, 1]);
    for (const op of ['maximum', 'minimum', 'fmax', 'mul'] as const)
      expect(Math.max(...bits(t[op](t)))).toBeLessThanOrEqual(1);
  });

  test.each(integers)('is in the range of %s, or refused at creation', (dtype) => {
    const { min, max } = {
      uint8: { min: 0n, max: 255n },
      int8: { min: -128n, max: 127n },
      int16: { min: -32768n, max: 32767n },
      int32: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
      int64: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
    }[dtype as 'uint8'];
    expect([...tensor([min, max], { dtype }).toBigInt64Array()]).toEqual([min, max]);
    for (const v of [min - 1n, max + 1n]) {
      expect(() => tensor([v], { dtype })).toThrow(`does not fit ${dtype}`);
      const number = Number(v) + Math.sign(Number(v)) * 2 ** (dtype === 'int64' ? 12 : 0);
      expect(() => tensor([number], { dtype })).toThrow(DTypeError);
      expect(() => full([1], number, { dtype })).toThrow(DTypeError);
      expect(() => zeros([1], { dtype }).fill_(number)).toThrow(DTypeError);
      expect(() => zeros([1], { dtype }).maskedFill(tensor([true]), number)).toThrow(DTypeError);
      if (dtype !== 'int64') expect(() => core.arange(number, number + 1, 1, { dtype })).toThrow(DTypeError);
    }
    expect(() => tensor([Number.NaN], { dtype })).toThrow(`NaN does not fit ${dtype}`);
    expect(tensor([1.9], { dtype }).toArray()).toEqual([1]);
  });

  test('is what each class of typed array holds', () => {
    const cases: [core.AnyTypedArray, DType, number[]][] = [
      [new Uint8Array([0, 1, 2, 255]), 'uint8', [0, 1, 2, 255]],
      [Buffer.from([7, 255]), 'uint8', [7, 255]],
      [new Uint8ClampedArray([3, 300]), 'uint8', [3, 255]],
      [new Int8Array([-128, 5]), 'int8', [-128, 5]],
      [new Int16Array([-30000]), 'int16', [-30000]],
      [new Uint16Array([65535]), 'int32', [65535]],
      [new Int32Array([-5]), 'int32', [-5]],
      [new Uint32Array([4294967295]), 'int64', [4294967295]],
      [new BigInt64Array([-5n]), 'int64', [-5]],
      [new BigUint64Array([5n]), 'int64', [5]],
      [new Float32Array([0.5]), 'float32', [0.5]],
      [new Float64Array([0.1]), 'float64', [0.1]],
    ];
    for (const [array, dtype, values] of cases) {
      const t = tensor(array);
      expect([array.constructor.name, t.dtype, t.toArray()]).toEqual([array.constructor.name, dtype, values]);
      if (!dtype.startsWith('float')) expect(t.sum().dtype).toBe('int64');
    }
    for (const [array] of cases)
      for (const dtype of ['float32', 'bfloat16', 'int32', 'int64', 'bool'] as const)
        expect(tensor(array.slice(0, 0), { dtype }).dtype).toBe(dtype);
    expect(() => tensor(new BigUint64Array([2n ** 63n]))).toThrow('9223372036854775808 does not fit int64');
    expect(() => tensor(new Uint32Array([2 ** 31]), { dtype: 'int32' })).toThrow(DTypeError);
  });
});

describe('integers', () => {
  test('wrap in products as in PyTorch', () => {
    const int = (...v: number[]) => tensor(v, { dtype: 'int32' });
    expect(int(2147483647, 123456789).mul(int(2147483647, 987654321)).toArray()).toEqual([1, -67153019]);
    expect(int(2147483647).square().item()).toBe(1);
    expect(int(3).pow(int(40)).item()).toBe(Number(BigInt.asIntN(32, 3n ** 40n)));
    const rows = int(123456789, 2147483647).reshape([1, 2]);
    expect(rows.matmul(int(987654321, 2147483647).reshape([2, 1])).item()).toBe(-67153018);
    expect(core.einsum('ij,ij->i', rows, int(987654321, 0).reshape([1, 2])).item()).toBe(-67153019);
    const long = (v: bigint) => tensor([[v]], { dtype: 'int64' });
    expect(
      long(2n ** 40n + 1n)
        .matmul(long(2n ** 20n + 3n))
        .eq(long(2n ** 60n + 3n * 2n ** 40n + 2n ** 20n + 3n))
        .item(),
    ).toBe(1);
    expect(
      long(2n ** 63n - 1n)
        .matmul(long(2n))
        .item(),
    ).toBe(-2);
    expect(
      tensor([[200, 100]], { dtype: 'uint8' })
        .matmul(tensor([[2], [1]], { dtype: 'uint8' }))
        .item(),
    ).toBe(244);
    expect(tensor([200], { dtype: 'uint8' }).add(100).item()).toBe(44);
    expect(tensor([3], { dtype: 'uint8' }).neg().item()).toBe(253);
  });

  test('have exact sums, products and running ones', () => {
    const big = full([1 << 12], 2147483647, { dtype: 'int32' });
    expect(big.sum().item()).toBe(2147483647 * 4096);
    expect(big.cumsum(0).at(-1).item()).toBe(2147483647 * 4096);
    expect(tensor([99999, 99999, 99999], { dtype: 'int32' }).prod().item()).toBe(99999 ** 3);
    expect(
      full([2 ** 21 + 1], 2 ** 31 - 1, { dtype: 'int32' })
        .sum()
        .toBigInt64Array()[0],
    ).toBe((2n ** 31n - 1n) * (2n ** 21n + 1n));
    const bytes = full([3, 5], 255, { dtype: 'uint8' });
    expect(bytes.sum(1).toArray()).toEqual([1275, 1275, 1275]);
    expect(bytes.t().sum(0, { keepdim: true }).toArray()).toEqual([[1275, 1275, 1275]]);
  });

  test('are refused where they are divided by 0', () => {
    for (const dtype of integers)
      for (const op of ['floorDivide', 'remainder', 'fmod'] as const)
        expect(() => ones([2], { dtype })[op](0)).toThrow(`${op}: an integer is divided by 0`);
  });

  test('of any width are indices and classes', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    for (const dtype of integers) {
      const index = tensor([[2], [0]], { dtype });
      const flat = tensor([1, 0], { dtype });
      expect(x.gather(1, index).toArray()).toEqual([[3], [4]]);
      expect(x.indexSelect(0, flat).toArray()).toEqual([
        [4, 5, 6],
        [1, 2, 3],
      ]);
      expect(core.embedding(flat, x).at(0, 0).item()).toBe(4);
      expect(core.crossEntropy(x, flat).item()).toBeCloseTo(1.9076, 3);
      expect(core.nllLoss(x, flat).item()).toBe(-3);
      expect(core.oneHot(flat).toArray()).toEqual([
        [0, 1],
        [1, 0],
      ]);
      if (dtype !== 'uint8') expect(x.at(flat).at(0, 0).item()).toBe(4);
    }
    expect(() => x.at(tensor([1], { dtype: 'uint8' }))).toThrow(/got uint8; use \.int\(\) or \.bool\(\)/);
    expect(() => x.gather(1, tensor([[2n ** 32n]]))).toThrow(/index 4294967296 is out of range/);
  });

  test('of 64 bits keep all of them wherever they are moved and compared', () => {
    const [a, b] = [2n ** 62n + 1n, 2n ** 62n];
    const t = tensor([a, b, -3n]);
    const bits = (x: Tensor) => [...x.toBigInt64Array()];
    expect(bits(t.flip(0))).toEqual([-3n, b, a]);
    expect(bits(t.sort().values)).toEqual([-3n, b, a]);
    expect(bits(t.gather(0, tensor([0, 0]).int()))).toEqual([a, a]);
    expect(bits(core.cat([t, t.narrow(0, 0, 1)]))).toEqual([a, b, -3n, a]);
    expect(bits(where(t.gt(0), t, 0))).toEqual([a, b, 0n]);
    expect(bits(core.stack([t, t], 1).t().contiguous().at(1))).toEqual([a, b, -3n]);
    expect(bits(t.eq(tensor([b])))).toEqual([0n, 1n, 0n]);
    expect(bits(t.max().reshape([1]))).toEqual([a]);
    expect(t.argmax().item()).toBe(0);
    expect(bits(t.unique().values)).toEqual([-3n, b, a]);
    expect(bits(t.clone().set(2, 5))).toEqual([a, b, 5n]);
    expect(bits(t.clamp(0, null))).toEqual([a, b, 0n]);
    expect(bits(t.repeat(2).at(tensor([3]).long()))).toEqual([a]);
    expect(
      bits(
        tensor([1n, 2n])
          .cumsum(0)
          .add(tensor([b])),
      ),
    ).toEqual([b + 1n, b + 3n]);
    expect(String(t)).toBe('tensor([4611686018427387905, 4611686018427387904,                  -3], dtype: int64)');
    expect(() => t.at(0).item()).toThrow(/4611686018427387905 is beyond 2\^53.*toBigInt64Array\(\)/);
    expect(() => t.toArray()).toThrow(/beyond 2\^53/);
    expect(t.double().toArray()).toEqual([2 ** 62, 2 ** 62, -3]);
    expect(bits(unpackTensor(structuredClone(packTensor(t))))).toEqual([a, b, -3n]);
  });

  test('agree with bigints in arithmetic', () => {
    const g = new core.Generator(7);
    const draw = (width: number) => {
      const small = g.below(3) === 0;
      const v = small ? BigInt(g.below(7) - 3) : (BigInt(g.bits()) << 32n) | BigInt(g.bits());
      return BigInt.asIntN(width, v);
    };
    const floorDiv = (a: bigint, b: bigint) => (a % b !== 0n && a < 0n !== b < 0n ? a / b - 1n : a / b);
    const rules: Record<string, (a: bigint, b: bigint) => bigint> = {
      add: (a, b) => a + b,
      sub: (a, b) => a - b,
      mul: (a, b) => a * b,
      floorDivide: floorDiv,
      remainder: (a, b) => a - b * floorDiv(a, b),
      fmod: (a, b) => a % b,
      maximum: (a, b) => (a > b ? a : b),
      minimum: (a, b) => (a < b ? a : b),
      bitwiseAnd: (a, b) => a & b,
      bitwiseOr: (a, b) => a | b,
      bitwiseXor: (a, b) => a ^ b,
    };
    const widths: [DType, number][] = [
      ['int8', 8],
      ['int16', 16],
      ['int32', 32],
      ['int64', 64],
      ['uint8', 8],
    ];
    for (const [dtype, width] of widths) {
      const fit = (v: bigint) => (dtype === 'uint8' ? BigInt.asUintN(8, v) : BigInt.asIntN(width, v));
      const list = Array.from({ length: 200 }, () => fit(draw(width)));
      const other = Array.from({ length: 200 }, () => fit(draw(width)) || 1n);
      const [x, y] = [tensor(list, { dtype }), tensor(other, { dtype })];
      for (const [name, rule] of Object.entries(rules)) {
        const out = (core as never as Record<string, (a: Tensor, b: Tensor) => Tensor>)[name]!(x, y);
        expect([name, dtype, ...out.toBigInt64Array()]).toEqual([
          name,
          dtype,
          ...list.map((a, i) => fit(rule(a, other[i]!))),
        ]);
      }
      const powers = other.map((_, i) => BigInt(i % 9));
      expect([...x.pow(tensor(powers, { dtype })).toBigInt64Array()]).toEqual(list.map((a, i) => fit(a ** powers[i]!)));
      expect([...x.sum().toBigInt64Array()]).toEqual([
        BigInt.asIntN(
          64,
          list.reduce((s, v) => s + v, 0n),
        ),
      ]);
      expect([...x.prod().toBigInt64Array()]).toEqual([
        BigInt.asIntN(
          64,
          list.reduce((s, v) => s * v, 1n),
        ),
      ]);
      expect([...x.neg().toBigInt64Array()]).toEqual(list.map((v) => fit(-v)));
      expect([...x.abs().toBigInt64Array()]).toEqual(list.map((v) => fit(v < 0n ? -v : v)));
      expect([...x.square().toBigInt64Array()]).toEqual(list.map((v) => fit(v * v)));
      for (const to of integers)
        expect([...x.to(to).toBigInt64Array()]).toEqual(
          list.map((v) =>
            to === 'uint8' ? BigInt.asUintN(8, v) : BigInt.asIntN(widths.find(([d]) => d === to)![1], v),
          ),
        );
    }
  });
});

describe('half types', () => {
  test('are rounded to nearest, ties to even, in every place of the range', () => {
    const halves = (v: number) => tensor([v], { dtype: 'float16' }).item();
    expect([2049, 2051, 65519, 65520, -70000, 2 ** -25, 3 * 2 ** -26, 2 ** -24].map(halves)).toEqual([
      2048,
      2052,
      65504,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      0,
      2 ** -24,
      2 ** -24,
    ]);
    const brains = (v: number) => tensor([v], { dtype: 'bfloat16' }).item();
    expect([257, 259, 3.3895313892515355e38, 3.4e38, 0.1].map(brains)).toEqual([
      256,
      260,
      3.3895313892515355e38,
      Number.POSITIVE_INFINITY,
      0.10009765625,
    ]);
    for (const round of [halves, brains]) {
      expect(round(Number.NaN)).toBeNaN();
      expect(Object.is(round(-0), -0)).toBe(true);
    }
  });

  test('read and write each of their 65536 bit patterns as they are', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    for (const dtype of ['float16', 'bfloat16'] as const) {
      const t = unpackTensor({ dtype, shape: [65536], data: bits, requiresGrad: false });
      const again = packTensor(t.float().to(dtype)).data as Uint16Array;
      const isNumber = t.eq(t).toTypedArray();
      for (let i = 0; i < 65536; i++) if (isNumber[i] && again[i] !== i) expect([dtype, again[i]]).toEqual([dtype, i]);
      const values = t.float().toTypedArray();
      for (const i of [0x0001, 0x03ff, 0x0400, 0x3c00, 0x7bff, 0x8001, 0xfbff])
        if (dtype === 'float16') {
          const [sign, e, f] = [i >> 15 ? -1 : 1, (i >> 10) & 31, i & 1023];
          expect(values[i]).toBe(sign * (e === 0 ? f * 2 ** -24 : (1 + f / 1024) * 2 ** (e - 15)));
        }
    }
  });

  test('take two bytes an element, also after operators', () => {
    const x = core.randn([1000], { dtype: 'bfloat16' });
    expect(packTensor(x.mul(2).add(x).exp()).data.byteLength).toBe(2000);
    expect(packTensor(x.mul(2).add(x).exp()).data.buffer.byteLength).toBe(2000);
  });

  test.each(floats)('give gradients of their own dtype: %s', (dtype) => {
    for (const other of floats) {
      const x = tensor([1, 2], { dtype, requiresGrad: true });
      const y = tensor([3, 4], { dtype: other, requiresGrad: true });
      x.mul(y).sum().backward();
      expect([x.grad!.dtype, y.grad!.dtype]).toEqual([dtype, other]);
      expect([x.grad!.toArray(), y.grad!.toArray()]).toEqual([
        [3, 4],
        [1, 2],
      ]);
      const z = tensor([1, 2], { dtype, requiresGrad: true });
      expect(core.grad(z.to(other).square().sum(), z).dtype).toBe(dtype);
    }
  });

  test('are written in place, through views and by optimizers’ way', () => {
    const x = zeros([2, 3], { dtype: 'float16' });
    x.at(1).add_(tensor([0.1, 1, 2]));
    x.t().at(0).fill_(5);
    expect(x.toArray()).toEqual([
      [5, 0, 0],
      [5, 1, 2],
    ]);
    expect(x.mul_(0.1).at(1, 1).item()).toBe(0.0999755859375);
  });
});

describe('integers that their dtype does not hold', () => {
  test('alpha multiplies in the dtype of the sum', () => {
    const bytes = tensor([255, 128], { dtype: 'uint8' });
    expect(tensor([0, 0], { dtype: 'int32' }).add(bytes, { alpha: -1 }).toArray()).toEqual([-255, -128]);
    expect(tensor([0, 0], { dtype: 'float64' }).sub(bytes, { alpha: 2 }).toArray()).toEqual([-510, -256]);
    expect(tensor([0, 0], { dtype: 'float32' }).add_(bytes, { alpha: 0.5 }).toArray()).toEqual([127.5, 64]);
    const sum = tensor([1, 1], { dtype: 'bfloat16' }).add(bytes, { alpha: 0.5 });
    expect([sum.dtype, sum.toArray()]).toEqual(['bfloat16', [128, 65]]);
  });

  test('isclose compares true differences', () => {
    const int8 = (...values: number[]) => tensor(values, { dtype: 'int8' });
    expect(core.isclose(int8(0, -128, 127), int8(-128, -127, -128), { rtol: 0, atol: 1 }).toArray()).toEqual([
      false,
      true,
      false,
    ]);
    const uint8 = (...values: number[]) => tensor(values, { dtype: 'uint8' });
    expect(core.isclose(uint8(1, 2, 0), uint8(2, 1, 255), { atol: 1, rtol: 0 }).toArray()).toEqual([true, true, false]);
  });
});
