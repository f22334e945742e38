import { goneHow } from '../backend/gone.js';
import { type Complex, type DType, isInteger, recordOf } from '../memory/dtype.js';
import { contiguousStrides } from '../memory/shape.js';
import { exactOf } from './elements.js';
import type { Tensor } from './tensor.js';

/** Longer tensors show this many items at each end of a dimension. */
const edgeItems = 3;
const threshold = 1000;
const lineWidth = 80;

type Shown = number | bigint | Complex;

/**
 * PyTorch's layout: aligned columns, long dimensions shortened, dtype and grad state where they are not the default.
 */
export function formatTensor(t: Tensor): string {
  const suffix: string[] = [];
  if (t.dtype !== 'float32' && t.dtype !== 'bool') suffix.push(`dtype: ${t.dtype}`);
  if (t.gradFn) suffix.push(`gradFn: ${t.gradFn.name}`);
  else if (t.requiresGrad) suffix.push('requiresGrad: true');
  if (t.numel === 0 && t.ndim !== 1) suffix.unshift(`shape: [${t.shape.join(', ')}]`);
  const tail = suffix.map((s) => `, ${s}`).join('');
  const how = goneHow(t.storage);
  if (how !== null) return `tensor(shape: [${t.shape.join(', ')}]${tail}; its memory was given back ${how})`;
  if (t.numel === 0) return `tensor([]${tail})`;
  const { isAsync, over } = t.storage.backend;
  if (isAsync)
    return `tensor(shape: [${t.shape.join(', ')}]${tail}, device: ${t.device}; ${over ? 'it has values for each example of a vmap' : 'its values are read by await t.data()'})`;

  const shorten = t.numel > threshold;
  const { complex } = recordOf(t.dtype);
  const data: ArrayLike<Shown> = complex?.elements(t) ?? exactOf(t);
  const strides = contiguousStrides(t.shape);
  const shown: Shown[] = [];
  const visible = (n: number) =>
    shorten && n > 2 * edgeItems
      ? [...Array(edgeItems).keys(), -1, ...Array.from({ length: edgeItems }, (_, i) => n - edgeItems + i)]
      : [...Array(n).keys()];
  const collect = (dim: number, at: number): void => {
    if (dim === t.ndim) shown.push(data[at]!);
    else for (const i of visible(t.shape[dim]!)) if (i >= 0) collect(dim + 1, at + i * strides[dim]!);
  };
  collect(0, 0);
  const show =
    (complex?.text(shown as Complex[], floatFormat) as (v: Shown) => string) ??
    numberFormat(shown as number[], t.dtype);
  const width = t.ndim === 0 ? 0 : shown.reduce<number>((most, v) => Math.max(most, show(v).length), 0);

  const render = (dim: number, at: number, indent: number): string => {
    if (dim === t.ndim) return show(data[at]!).padStart(width);
    const parts = visible(t.shape[dim]!).map((i) =>
      i < 0 ? '...' : render(dim + 1, at + i * strides[dim]!, indent + 1),
    );
    const last = dim === t.ndim - 1;
    const pad = ' '.repeat(indent + 1);
    if (!last) return `[${parts.join(`,${'\n'.repeat(t.ndim - 1 - dim)}${pad}`)}]`;
    const perLine = Math.max(1, Math.floor((lineWidth - indent) / (width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(', '));
    return `[${lines.join(`,\n${pad}`)}]`;
  };
  return `tensor(${render(0, 0, 7)}${tail})`;
}

/** One format for all numbers of a tensor, so that columns align. */
function numberFormat(values: readonly (number | bigint)[], dtype: DType): (v: number | bigint) => string {
  if (dtype === 'bool') return (v) => (v ? 'true' : 'false');
  if (isInteger(dtype)) return String;
  return floatFormat(values as readonly number[]) as (v: number | bigint) => string;
}

function floatFormat(values: readonly number[]): (v: number) => string {
  const special = (v: number) => (Number.isNaN(v) ? 'nan' : v > 0 ? 'inf' : '-inf');
  const finite = values.filter(Number.isFinite);
  const of = (show: (v: number) => string) => (v: number) =>
    !Number.isFinite(v) ? special(v) : Object.is(v, -0) ? `-${show(0)}` : show(v);
  if (finite.every(Number.isInteger) && finite.every((v) => Math.abs(v) < 1e8)) return of((v) => `${v}.`);
  // Not spread into a call, whose arguments are limited.
  const [max, min] = finite.reduce(
    ([most, least], v) => (v ? [Math.max(most, Math.abs(v)), Math.min(least, Math.abs(v))] : [most, least]),
    [-Infinity, Infinity],
  ) as [number, number];
  const scientific = max >= 1e8 || min < 1e-4 || max / min > 1000;
  return of((v) => (scientific ? v.toExponential(4) : v.toFixed(4)));
}
