import * as core from '@gradgate/core';
import { type DType, type Tensor, tensor } from '@gradgate/core';
import * as linalg from '@gradgate/core/linalg';
import * as special from '@gradgate/core/special';
import * as distributions from '@gradgate/distributions';
import * as nn from '@gradgate/nn';

/** The dtypes: `f` float32, `d` float64, `i` integers of any width, `b` bool; null is NaN. */
type Stored = readonly [kind: 'f' | 'd' | 'i' | 'b', shape: number[], data: (number | null)[]];

/** A line of a `.jsonl` that `torch_cases.py` or `torch_layers.py` writes: a program and PyTorch's results. */
export interface TorchCase {
  /** The seed that generates this case again. */
  readonly s: number;
  /** The program: an expression of the inputs a, b, ..., and of the packages, by their names in `packages`. */
  readonly js: string;
  readonly in: Stored[];
  readonly out: Stored;
  /** The gradients of the inputs, with each result weighted by `weightOf` its position; 0 if there is none. */
  readonly g: (0 | (number | null)[])[];
}

const dtypes: Record<Stored[0], DType> = { f: 'float32', d: 'float64', i: 'int32', b: 'bool' };
const packages = { g: core, F: nn.functional, nn, L: linalg, S: special, D: distributions };
const numbers = (data: readonly (number | null)[]) => Float64Array.from(data, (v) => v ?? Number.NaN);
const weightOf = (k: number): number => 0.25 + ((k * 7) % 5) * 0.5;

function kindOf({ dtype }: Tensor): Stored[0] {
  return dtype === 'float32' ? 'f' : dtype === 'float64' ? 'd' : dtype === 'bool' ? 'b' : 'i';
}

/** The first position where the values differ by more than rounding, as text. */
function differs(what: string, got: ArrayLike<number>, wanted: Float64Array, exact: boolean): string | null {
  if (got.length !== wanted.length) return `${what}: ${got.length} elements, expected ${wanted.length}`;
  const tolerance = exact ? 1e-7 : 5e-5;
  // If terms cancel, rounding errors are relative to the largest of them.
  const scale = wanted.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1);
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [got[i]!, wanted[i]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    // An infinity is within no tolerance.
    if (!Number.isFinite(b) || !(Math.abs(a - b) <= tolerance * Math.max(Math.abs(b), 1, exact ? 0 : scale / 10)))
      return `${what}[${i}]: got ${a}, PyTorch ${b}`;
  }
  return null;
}

/** The program of a case. */
export function programOf({ js, in: inputs }: TorchCase): (inputs: readonly Tensor[]) => Tensor {
  const names = inputs.map((_, i) => nameOf(i));
  const program = new Function(...Object.keys(packages), ...names, `return ${js}`);
  return (inputs) => program(...Object.values(packages), ...inputs) as Tensor;
}

const nameOf = (input: number): string => 'abcdehij'[input]!;

/** Runs a case; returns null if values, shapes, dtypes and gradients equal PyTorch's, else the difference. */
export function runTorchCase(c: TorchCase): string | null {
  const inputs = c.in.map(([kind, shape, data]) =>
    tensor(numbers(data), { shape, dtype: dtypes[kind], requiresGrad: kind === 'f' || kind === 'd' }),
  );
  const [kind, shape, data] = c.out;
  try {
    const out = programOf(c)(inputs);
    if (out.shape.join() !== shape.join()) return `shape [${out.shape}], PyTorch [${shape}]`;
    if (kindOf(out) !== kind) return `dtype ${out.dtype}, PyTorch ${kind}`;
    const exact = !c.in.some(([k]) => k === 'f') && kind !== 'f';
    const wrong = differs('value', out.toTypedArray() as Float64Array, numbers(data), exact);
    if (wrong) return wrong;
    // Gradients that are all 0 are not always recorded.
    if (!out.requiresGrad) return c.g.some((g) => g !== 0) ? 'untracked' : null;
    out.backward(
      tensor(
        Float64Array.from({ length: out.numel }, (_, k) => weightOf(k)),
        { shape, dtype: out.dtype },
      ),
    );
    for (const [i, g] of c.g.entries()) {
      const mine = inputs[i]!.grad;
      // Inputs without influence may have no gradient, or zeros.
      if (g === 0) {
        if (mine?.toTypedArray().some((v) => v !== 0)) return `gradient of ${nameOf(i)}: PyTorch has none`;
      } else {
        const found = differs(
          `gradient of ${nameOf(i)}`,
          mine?.toTypedArray() ?? new Float64Array(g.length),
          numbers(g),
          exact,
        );
        if (found) return found;
      }
    }
    return null;
  } catch (error) {
    return `threw ${error}`;
  }
}

/** A difference, with everything needed to examine it. */
export const report = (c: TorchCase, wrong: string): string =>
  `${c.s}: ${c.js}\n  ${wrong}\n  ${JSON.stringify(c.in, (_, v) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v)).slice(0, 400)}`;
