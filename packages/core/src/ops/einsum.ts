import { show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import type { Tensor } from '../tensor/tensor.js';
import { diagonal } from './diagonal.js';
import type * as self from './einsum.js';
import { mul } from './elementwise.js';
import { matmul } from './matmul.js';
import { sum } from './reduce.js';
import { permute, reshape, unsqueeze } from './shape.js';

/** A tensor whose dimensions have labels, each once. */
interface Labelled {
  readonly t: Tensor;
  readonly labels: string;
}

const without = (labels: string, drop: (label: string) => boolean): string =>
  [...labels].filter((l) => !drop(l)).join('');

/** Sums over labels that occur nowhere else. */
function reduceTo({ t, labels }: Labelled, keep: string): Labelled {
  const dims = [...labels].flatMap((l, i) => (keep.includes(l) ? [] : [i]));
  return dims.length === 0 ? { t, labels } : { t: sum(t, dims), labels: without(labels, (l) => !keep.includes(l)) };
}

const arrange = ({ t, labels }: Labelled, order: string): Tensor =>
  permute(
    t,
    [...order].map((l) => labels.indexOf(l)),
  );

/**
 * One batched matrix product. Labels of both that are kept are the batch; labels of both that are not kept are summed
 * over.
 */
function contract(a: Labelled, b: Labelled, keep: string): Labelled {
  const left = reduceTo(a, keep + b.labels);
  const right = reduceTo(b, keep + a.labels);
  const batch = without(left.labels, (l) => !right.labels.includes(l) || !keep.includes(l));
  const inner = without(left.labels, (l) => !right.labels.includes(l) || keep.includes(l));
  const rows = without(left.labels, (l) => right.labels.includes(l));
  const columns = without(right.labels, (l) => left.labels.includes(l));
  const size = (of: Labelled, labels: string) => [...labels].map((l) => of.t.shape[of.labels.indexOf(l)]!);
  const count = (sizes: number[]) => sizes.reduce((x, y) => x * y, 1);
  const [sb, si, sr, sc] = [size(left, batch), size(left, inner), size(left, rows), size(right, columns)];
  const x = reshape(arrange(left, batch + rows + inner), [count(sb), count(sr), count(si)]);
  const y = reshape(arrange(right, batch + inner + columns), [count(sb), count(si), count(sc)]);
  return { t: reshape(matmul(x, y), [...sb, ...sr, ...sc]), labels: batch + rows + columns };
}

/**
 * Sums of products in Einstein's notation: `einsum('ij,jk->ik', a, b)`. Labels are letters; labels that the result does
 * not name are summed over. Without `->` the result has the labels that occur once, in alphabetical order. `...` stands
 * for any dimensions.
 *
 * ```ts
 * einsum('ij,jk->ik', tensor([[1, 2], [3, 4]]), eye(2)); // [[1, 2], [3, 4]]
 * ```
 */
export const einsum = /* @__PURE__ */ named('einsum', (equation: string, ...operands: Tensor[]): Tensor => {
  const op = 'einsum';
  if (typeof equation !== 'string')
    throw new TypeError(`${op}: expected an equation such as 'ij,jk->ik', got ${show(equation)}`);
  const [inputs, output, ...more] = equation.replaceAll(' ', '').split('->') as [string, string | undefined];
  if (more.length > 0) throw new ShapeError(op, `'${equation}' has more than one arrow`);
  const terms = inputs.split(',');
  checkTensors(op, ...operands);
  if (terms.length !== operands.length)
    throw new TypeError(`${op}: '${equation}' names ${terms.length} operands, got ${operands.length}`);
  // The dimensions of an ellipsis get labels of their own, aligned at the end.
  const hidden = (n: number) =>
    Array.from({ length: n }, (_, i) => String.fromCharCode(0x3b1 + i))
      .reverse()
      .join('');
  let widest = 0;
  const labelled = terms.map((term, i): Labelled => {
    const t = operands[i]!;
    const named = term.replace('...', '');
    if (!/^[a-zA-Z]*$/.test(named)) throw new ShapeError(op, `'${term}' is not made of letters and '...'`);
    const rest = t.ndim - named.length;
    if (rest < 0 || (rest > 0 && !term.includes('...')))
      throw new ShapeError(
        op,
        `'${term}' names ${named.length} dimensions, operand ${i} has shape ${formatShape(t.shape)}`,
      );
    widest = Math.max(widest, rest);
    return { t, labels: term.replace('...', hidden(rest)) };
  });
  const all = labelled.map((o) => o.labels).join('');
  const once = [...new Set(all)].filter((l) => l >= 'A' && l <= 'z' && all.split(l).length === 2).sort();
  const target = output === undefined ? hidden(widest) + once.join('') : output.replace('...', hidden(widest));
  for (const l of target)
    if (!all.includes(l)) throw new ShapeError(op, `the result's '${l}' is in no operand of '${equation}'`);
  if (new Set(target).size !== target.length)
    throw new ShapeError(op, `the result '${target}' names a dimension twice`);
  const sizes = new Map<string, number>();
  const unique = labelled.map(takeDiagonals);
  for (const { t, labels } of unique)
    [...labels].forEach((l, i) => {
      const n = t.shape[i]!;
      const known = sizes.get(l) ?? 1;
      if (known !== n && known !== 1 && n !== 1)
        throw new ShapeError(
          op,
          `'${l}' has size ${known} and ${n} in '${equation}': ${operands.map((o) => formatShape(o.shape)).join(', ')}`,
        );
      sizes.set(l, known === 1 ? n : known);
    });
  const full = unique.map(({ t, labels }) => ({ t: t.expand([...labels].map((l) => sizes.get(l)!)), labels }));
  let result = full[0]!;
  for (let i = 1; i < full.length; i++) {
    const later =
      full
        .slice(i + 1)
        .map((o) => o.labels)
        .join('') + target;
    result = contract(result, full[i]!, later);
  }
  return arrange(reduceTo(result, target), target);
});

/** Takes the diagonal for a label that occurs twice in one operand. */
function takeDiagonals({ t, labels }: Labelled): Labelled {
  for (let i = 0; i < labels.length; i++) {
    const j = labels.indexOf(labels[i]!, i + 1);
    if (j > 0) {
      const rest = labels.slice(0, i) + labels.slice(i + 1, j) + labels.slice(j + 1);
      return takeDiagonals({ t: diagonal(t, 0, i, j), labels: rest + labels[i] });
    }
  }
  return { t, labels };
}

/**
 * All products of an element of `a` with one of `b`, `[n]` and `[m]` to `[n, m]`.
 *
 * ```ts
 * outer(tensor([1, 2]), tensor([3, 4])); // [[3, 4], [6, 8]]
 * ```
 */
export const outer = /* @__PURE__ */ named('outer', (a: Tensor, b: Tensor): Tensor => {
  checkTensors('outer', a, b);
  if (a.ndim !== 1 || b.ndim !== 1)
    throw new ShapeError('outer', `takes two vectors, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`);
  return mul(unsqueeze(a, 1), b);
});

/**
 * The sum of the products of two vectors: `[n]` and `[n]` to `[]`.
 *
 * ```ts
 * dot(tensor([1, 2]), tensor([3, 4])); // 11
 * ```
 */
export const dot = /* @__PURE__ */ named('dot', (a: Tensor, b: Tensor): Tensor => {
  checkTensors('dot', a, b);
  if (a.ndim !== 1 || b.ndim !== 1 || a.shape[0] !== b.shape[0])
    throw new ShapeError(
      'dot',
      `takes two vectors of one size, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  return sum(mul(a, b));
});

const plain = { outer, dot };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
