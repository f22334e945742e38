import * as core from '@gradgate/core';
import { type DType, type Tensor, tensor } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import * as nn from '@gradgate/nn';
import { fault } from './judge.mjs';

type Stored = readonly [dtype: DType, shape: number[], data: (number | null)[]];

/** A line of `torch_writes.jsonl`, which `torch_writes.py` writes. */
export interface WritesCase {
  /** The seed that generates this case again. */
  readonly s: number;
  /** Statements of the inputs a, b, ..., which give variables v0, v1, ...; `refused` takes what PyTorch refuses. */
  readonly js: string[];
  readonly in: Stored[];
  /** Whether the gradients are those of the sum of the squares of gradients. */
  readonly twice: boolean;
  /** The variables at the end, and which of them require a gradient. */
  readonly out: Stored[];
  readonly requires: string;
  /** The gradients of the inputs; 0 where there is none, null where PyTorch refuses the backward pass. */
  readonly g: (0 | (number | null)[])[] | null;
}

const numbers = (data: readonly (number | null)[]) => Float64Array.from(data, (v) => v ?? Number.NaN);
const nameOf = (input: number): string => 'abcdehij'[input]!;
/** The relative error that a dtype may have. */
const tolerances: Partial<Record<DType, number>> = { float64: 1e-7, float32: 5e-5, float16: 4e-3, bfloat16: 3e-2 };

function differs(what: string, got: ArrayLike<number>, wanted: Float64Array, tolerance: number): string | null {
  if (got.length !== wanted.length) return `${what}: ${got.length} elements, expected ${wanted.length}`;
  const scale = wanted.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1);
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [Number(got[i]), wanted[i]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (!Number.isFinite(b) || !(Math.abs(a - b) <= tolerance * Math.max(Math.abs(b), 1, scale / 10)))
      return `${what}[${i}]: got ${a}, expected ${b}`;
  }
  return null;
}

/** A statement that has to be refused, in words of the project. */
function refused(statement: () => unknown): void {
  try {
    statement();
  } catch (error) {
    const text = fault(error);
    if (text !== null) throw new Error(`refuses in other words: ${text}`);
    return;
  }
  throw new Error(`does not refuse ${statement}`);
}

function weighted(t: Tensor): Tensor {
  const w = Float64Array.from({ length: t.numel }, (_, k) => 0.25 + ((k * 7) % 5) * 0.5);
  return t
    .mul(tensor(w, { shape: t.shape }).to(t.dtype))
    .sum()
    .to('float64');
}

/** The variables of a program at its end. */
function programOf({ js, in: inputs, out }: WritesCase): (...inputs: Tensor[]) => Tensor[] {
  const names = inputs.map((_, i) => nameOf(i));
  const result = `return [${out.map((_, i) => `v${i}`)}];`;
  const program = new Function('g', 'F', 'nn', 'refused', ...names, `${js.join('\n')}\n${result}`);
  return (...inputs) => program(core, nn.functional, nn, refused, ...inputs) as Tensor[];
}

/** The backward pass at the end of a program. */
function backward(vars: readonly Tensor[], inputs: readonly Tensor[], twice: boolean): void {
  const ends = vars.filter((t) => t.requiresGrad).map(weighted);
  if (ends.length === 0) return;
  const loss = ends.reduce((sum, t) => sum.add(t));
  if (!twice) {
    loss.backward();
    return;
  }
  const leaves = inputs.filter((t) => t.requiresGrad);
  const grads = core
    .grad(loss, leaves, { createGraph: true, allowUnused: true })
    .filter((t) => t?.requiresGrad)
    .map((t) => weighted(t!.mul(t!)));
  if (grads.length > 0) grads.reduce((sum, t) => sum.add(t)).backward();
}

const inputsOf = (c: WritesCase): Tensor[] =>
  c.in.map(([dtype, shape, data]) =>
    tensor(numbers(data), { shape, dtype, requiresGrad: /^(float|bfloat)/.test(dtype) }),
  );

interface Outcome {
  readonly values: Float64Array[];
  readonly grads: (Float64Array | null)[] | null;
  readonly written: Float64Array[];
}

const valuesOf = (t: Tensor): Float64Array => Float64Array.from(t.toTypedArray() as Iterable<number>, Number);

/** What a way of running a program gives. */
function outcome(c: WritesCase, run: (inputs: Tensor[]) => Tensor[]): Outcome {
  const inputs = inputsOf(c);
  const vars = run(inputs);
  const values = vars.map(valuesOf);
  let grads: Outcome['grads'] = null;
  try {
    backward(vars, inputs, c.twice);
    grads = inputs.map(({ grad }) => grad && valuesOf(grad));
  } catch (error) {
    if (!(error instanceof core.AutogradError)) throw error;
  }
  return { values, grads, written: inputs.map((t) => valuesOf(t.detach())) };
}

/** The first difference of a program's outcome to PyTorch's; null if there is none. */
function againstTorch(c: WritesCase): string | null {
  const inputs = inputsOf(c);
  const vars = programOf(c)(...inputs);
  const coarsest = Math.max(...[...c.in, ...c.out].map(([dtype]) => tolerances[dtype] ?? 0));
  const half = coarsest > 1e-3;
  for (const [i, [dtype, shape, data]] of c.out.entries()) {
    const t = vars[i]!;
    const what = `v${i}`;
    if (t.shape.join() !== shape.join()) return `${what}: shape [${t.shape}], PyTorch [${shape}]`;
    if (t.dtype !== dtype) return `${what}: ${t.dtype}, PyTorch ${dtype}`;
    const wrong = differs(what, valuesOf(t), numbers(data), half ? coarsest : (tolerances[dtype] ?? 0));
    if (wrong) return wrong;
    if (t.requiresGrad !== (c.requires[i] === '1')) return `${what}: requiresGrad ${t.requiresGrad}`;
  }
  const tolerance = half ? 5e-2 : 5e-5;
  try {
    backward(vars, inputs, c.twice);
  } catch (error) {
    // What PyTorch's operators do not save, ours may.
    if (error instanceof core.AutogradError && (c.g === null || /saved was modified in place/.test(error.message)))
      return null;
    throw error;
  }
  // What PyTorch's operators save, ours may not.
  if (c.g === null) return null;
  for (const [i, g] of c.g.entries()) {
    const mine = inputs[i]!.grad;
    const wanted = g === 0 ? new Float64Array(inputs[i]!.numel) : numbers(g);
    const found = differs(`gradient of ${nameOf(i)}`, mine?.toTypedArray() ?? wanted.map(() => 0), wanted, tolerance);
    if (found) return found;
  }
  return null;
}

const same = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length && a.every((v, i) => Object.is(v, b[i]) || v === b[i]);

/** The first difference between two ways, which are to give the same bits. */
function unequal(way: string, a: Outcome, b: Outcome): string | null {
  for (const [i, v] of a.values.entries())
    if (!same(v, b.values[i]!)) return `${way}: v${i} is [${b.values[i]}], without it [${v}]`;
  for (const [i, v] of a.written.entries())
    if (!same(v, b.written[i]!)) return `${way}: ${nameOf(i)} becomes [${b.written[i]}], without it [${v}]`;
  if ((a.grads === null) !== (b.grads === null)) return `${way}: backward is ${b.grads ? 'not ' : ''}refused`;
  for (const [i, v] of (a.grads ?? []).entries()) {
    const w = b.grads![i];
    const zero = new Float64Array(Math.max(v?.length ?? 0, w?.length ?? 0));
    // Several results of a compiled function are one operation, whose gradients add up in another order.
    if (differs('', w ?? zero, v ?? zero, 5e-5)) return `${way}: gradient of ${nameOf(i)} is [${w}], without it [${v}]`;
  }
  return null;
}

/** Runs a program as it is, to be compared with PyTorch, and then in other ways, which are to do the same. */
export function runWritesCase(c: WritesCase): string | null {
  try {
    const found = againstTorch(c);
    if (found !== null) return found;
    const program = programOf(c);
    const plain = outcome(c, (inputs) => program(...inputs));
    const compiled = compile(program);
    const ways: Record<string, (inputs: Tensor[]) => Tensor[]> = {
      tidy: (inputs) => core.tidy.run(() => program(...inputs)),
      'compile, recording': (inputs) => compiled(...inputs),
      'compile, replaying': (inputs) => compiled(...inputs),
      'compile, replaying again': (inputs) => core.tidy.run(() => compiled(...inputs)),
    };
    for (const [way, run] of Object.entries(ways)) {
      // What a compiled function returns has gradients, which have none.
      if (c.twice && way.startsWith('compile')) continue;
      const wrong = unequal(way, plain, outcome(c, run));
      if (wrong) return wrong;
    }
    return null;
  } catch (error) {
    return `threw ${error}`;
  }
}

export const reportWrites = (c: WritesCase, wrong: string): string =>
  `${c.s}: ${wrong}\n  ${c.js.join('\n  ')}\n  ${JSON.stringify(c.in).slice(0, 300)}`;
