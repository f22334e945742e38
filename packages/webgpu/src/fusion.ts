import type { DType, View } from '@gradgate/core';
import { type Gpu, maxNumbers, type Source, type Waiting, type Word } from './gpu.js';
import type { Mapping } from './kernels/map.js';
import type { Block } from './pool.js';
import { blockOf, constantOf, emptyBlockOf, gpuOf, isPending } from './storage.js';
import { addressesOf } from './views.js';
import { converted, stored, wordOf } from './words.js';

// Fuses elementwise functions into the call that computes their operand, where each thread has the element in a
// register. So a linear layer with bias and activation is one call, the gradient of its input with that of the layer
// before is one, and elementwise functions that follow each other are one.

/** A call that computes each element of a view in one thread. */
interface Producer {
  readonly key: string;
  readonly out: View;
  /** `then` is WGSL that continues with the element: its row-major index `e` and its value `v0`. */
  source(then: string): Source;
  /** The buffers that are read. */
  readonly reads: readonly Block[];
  readonly numbers: readonly number[];
  readonly groups: readonly [number, number];
}

/** An operand of a part: a value computed before, a number, or elements of a buffer (with step 0, one for all). */
type From =
  | { readonly value: number }
  | { readonly constant: number }
  | { readonly block: Block; readonly offset: number; readonly step: 0 | 1 };

interface Part {
  readonly map: Mapping;
  readonly from: readonly From[];
  readonly dtypes: readonly DType[];
  readonly out: View;
  readonly block: Block;
  readonly numbers: readonly number[];
}

const names = ['x', 'y', 'z'] as const;

/** Runs a producer, or defers it until it is known what follows. */
export function produce(call: Producer): void {
  const { out, reads } = call;
  const gpu = gpuOf(out);
  const block = blockOf(out);
  if (out.isContiguous && !reads.includes(block)) gpu.wait(new Fusion(gpu, call, block));
  else gpu.run(call.key, () => call.source(''), [...reads, block], call.numbers, call.groups);
}

/**
 * Fuses an elementwise function into the deferred call if it uses its result; `numbers` are `p`, `q`, `pi` and `qi`.
 */
export function follow(map: Mapping, operands: readonly View[], out: View, numbers: readonly number[]): boolean {
  const { waiting } = gpuOf(out);
  return waiting instanceof Fusion && waiting.add(map, operands, out, numbers);
}

class Fusion implements Waiting {
  readonly #parts: Part[] = [];
  readonly #reads: Block[];
  readonly #writes: Block[];
  readonly #outs: View[];
  #numbers: number;

  constructor(
    private readonly gpu: Gpu,
    private readonly call: Producer,
    block: Block,
  ) {
    this.#reads = [...call.reads];
    this.#writes = [block];
    this.#outs = [call.out];
    this.#numbers = call.numbers.length;
  }

  uses(block: Block): boolean {
    return this.#reads.includes(block) || this.#writes.includes(block);
  }

  add(map: Mapping, operands: readonly View[], out: View, numbers: readonly number[]): boolean {
    // Do not use the device here, as that would run the deferred call.
    const block = emptyBlockOf(out);
    if (!out.isContiguous || isPending(out) || out.numel !== this.call.out.numel || this.uses(block)) return false;
    const from: From[] = [];
    for (const operand of operands) {
      const found = this.#from(operand, out);
      if (found === null) return false;
      from.push(found);
    }
    const reads = from.flatMap((f) => ('block' in f ? [f.block] : []));
    const { maxStorageBuffersPerShaderStage: most } = this.gpu.device.limits;
    const all = [
      ...numbers,
      out.offset,
      ...from.flatMap((f) => ('block' in f ? [f.offset] : 'constant' in f ? [f.constant] : [])),
    ];
    if (
      !from.some((f) => 'value' in f) ||
      reads.includes(block) ||
      this.#reads.length + reads.length + this.#writes.length + 1 > most ||
      this.#numbers + all.length > maxNumbers
    )
      return false;
    this.#parts.push({ map, from, dtypes: operands.map((o) => o.dtype), out, block, numbers: all });
    this.#reads.push(...reads);
    this.#writes.push(block);
    this.#outs.push(out);
    this.#numbers += all.length;
    return true;
  }

  /** Where a thread finds an operand's element; null if it cannot. */
  #from(operand: View, out: View): From | null {
    const constant = constantOf(operand);
    if (constant !== null) return { constant };
    if (isPending(operand)) return null;
    const block = emptyBlockOf(operand);
    const value = this.#writes.indexOf(block);
    if (value >= 0) {
      const { numel, offset } = this.#outs[value]!;
      return operand.isContiguous && operand.numel === numel && operand.offset === offset ? { value } : null;
    }
    const { shape, strides } = addressesOf(out.shape, [operand]);
    const step = strides[0]![0];
    return shape.length === 1 && (step === 0 || step === 1) ? { block, offset: operand.offset, step } : null;
  }

  make(): void {
    const { key, source, numbers, groups } = this.call;
    this.gpu.run(
      key + this.#parts.map(keyOf).join(''),
      () => {
        const first = source(this.#parts.map(codeOf).join('\n'));
        return {
          ...first,
          reads: { ...first.reads, ...Object.fromEntries(this.#parts.flatMap(readsOf)) },
          writes: {
            ...first.writes,
            ...Object.fromEntries(this.#parts.map(({ out }, k) => [`out_${k}`, wordOf(out.dtype)])),
          },
          numbers: [...first.numbers, ...this.#parts.flatMap(numbersOf)],
        };
      },
      [...this.#reads, ...this.#writes],
      [...numbers, ...this.#parts.flatMap((part) => part.numbers)],
      groups,
    );
  }
}

/** Calls `of` for each operand of a part, with a unique name. */
const ofOperands = <T>({ from, dtypes }: Part, k: number, of: (from: From, name: string, dtype: DType) => T[]): T[] =>
  from.flatMap((f, j) => of(f, `${k}_${j}`, dtypes[j]!));

const keyOf = (part: Part, k: number): string =>
  ` > ${part.map.name} ${ofOperands(part, k, (f, _, dtype) => [
    'value' in f ? f.value : 'constant' in f ? `(${dtype})` : `${wordOf(dtype)[0]}${f.step}`,
  ])} ${part.out.dtype}`;

const readsOf = (part: Part, k: number): [string, Word][] =>
  ofOperands(part, k, (f, name, dtype) => ('block' in f ? [[`in_${name}`, wordOf(dtype)]] : []));

const numbersOf = (part: Part, k: number): string[] => [
  ...[`p_${k}:f32`, `q_${k}:f32`, `pi_${k}:i32`, `qi_${k}:i32`, `at_${k}`],
  ...ofOperands(part, k, (f, name, dtype) =>
    'block' in f ? [`at_${name}`] : 'constant' in f ? [`number_${name}:${wordOf(dtype)}`] : [],
  ),
];

/** The code of part `k`, which computes the value `v` number `k + 1`; that of the producer is 0. */
function codeOf(part: Part, k: number): string {
  const { map, out } = part;
  const values = ofOperands(part, k, (f, name, dtype) => [
    'value' in f
      ? `v${f.value}`
      : 'constant' in f
        ? stored(`u.number_${name}`, wordOf(dtype), dtype)
        : `in_${name}[u.at_${name} + e * ${f.step}u]`,
  ]);
  const expression = map.expression.replaceAll(/\bu\.(pi|qi|p|q)\b/g, `u.$1_${k}`);
  return `var v${k + 1}: ${wordOf(out.dtype)};
{
${values.map((value, j) => `let ${names[j]} = ${converted(value, wordOf(part.dtypes[j]!), map.types[j]!)};`).join('\n')}
v${k + 1} = ${stored(expression, map.gives, out.dtype)};
}
out_${k}[u.at_${k} + e] = v${k + 1};`;
}
