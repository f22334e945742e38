import type { Backend } from '../backend/backend.js';
import { cpu } from '../backend/cpu.js';
import type { Parameters } from '../backend/functions.js';
import { elementsOf } from '../backend/host/data.js';
import { HostStorage } from '../backend/host/storage.js';
import type { Kernels, Reduction, View } from '../backend/kernels.js';
import { DTypeError } from '../errors.js';
import { allocate } from '../memory/allocate.js';
import type { DType, TypedArray } from '../memory/dtype.js';
import { refuseRecording } from '../memory/recording.js';
import { formatShape, type Shape, sizeOf } from '../memory/shape.js';
import { type Storage, tensorsAreSentByPackTensorAndUnpackTensor } from '../memory/storage.js';

// Sparse gradients: tensors that store only some rows. The engine handles them like all other tensors; their storage
// has a backend of its own, whose kernels add, scale, copy and measure rows, and refuse by name whatever would need all
// elements.

/**
 * Rows in ascending order, each once: row `index[i]` is at `i * width` of `values`. They are never written to, so
 * storages can share them.
 */
export interface Rows {
  readonly index: Int32Array;
  readonly values: TypedArray;
  /** The number of elements in a row. */
  readonly width: number;
  /** Whether all rows are stored, because something dense was added. */
  readonly isDense?: boolean;
}

/** The dtypes that sparse gradients can have. */
export type RowsDType = 'float32' | 'float64';

/** The memory of a tensor of rows. */
export class RowsStorage implements Storage {
  declare readonly backend: Backend;
  version = 0;
  uses = 0;
  refCount = 0;
  readonly send = tensorsAreSentByPackTensorAndUnpackTensor;
  rows: Rows;
  constructor(
    readonly dtype: RowsDType,
    readonly length: number,
  ) {
    refuseRecording('sparse gradients are made');
    this.rows = noRows(dtype);
  }
}

const noRows = (dtype: DType): Rows => ({ index: new Int32Array(0), values: allocate(dtype, 0), width: 0 });

/** Rows in ascending order, with the sum of those that repeat; row `except` is left out. */
export function summed(
  index: ArrayLike<number>,
  values: TypedArray,
  width: number,
  dtype: RowsDType,
  except?: number,
): Rows {
  const unique = new Set(Array.from(index));
  if (except !== undefined) unique.delete(except);
  const kept = Int32Array.from(unique).sort();
  const places = new Map<number, number>();
  for (let i = 0; i < kept.length; i++) places.set(kept[i]!, i * width);
  const sums = allocate(dtype, kept.length * width);
  for (let i = 0; i < index.length; i++) {
    const to = places.get(index[i]!);
    if (to === undefined) continue;
    for (let j = 0; j < width; j++) sums[to + j]! += values[i * width + j]!;
  }
  return { index: kept, values: sums, width };
}

const isRows = ({ storage }: View): boolean => storage instanceof RowsStorage;

const isWhole = (x: View): boolean => x.isContiguous && x.numel === x.storage.length;

const widthOf = (shape: Shape): number => sizeOf(shape.slice(1));

/** A row-major array as a view for the host's kernels. */
const hostView = (values: TypedArray, dtype: RowsDType, shape: Shape = [values.length]): View => ({
  storage: HostStorage.of(values, dtype),
  dtype,
  shape,
  numel: values.length,
  strides: shape.map((_, d) => widthOf(shape.slice(d))),
  offset: 0,
  isContiguous: true,
});

/** All elements; those of rows that are not stored are 0. */
function denseArray({ index, values, width }: Rows, dtype: RowsDType, length: number): TypedArray {
  const out = allocate(dtype, length);
  for (let i = 0; i < index.length; i++)
    out.set(values.subarray(i * width, (i + 1) * width) as never, index[i]! * width);
  return out;
}

/** All elements of a storage. */
const denseOf = ({ rows, dtype, length }: RowsStorage): TypedArray => denseArray(rows, dtype, length);

/** A view of rows, or of all elements, as a view of the host. */
const onHost = (x: View): View =>
  isRows(x) ? { ...x, storage: HostStorage.of(denseOf(x.storage as RowsStorage), x.dtype) } : x;

/** The rows of a view that covers its whole storage. */
function rowsOf(op: string, x: View): Rows {
  if (!isWhole(x)) refuse(op, x);
  return (x.storage as RowsStorage).rows;
}

/** Makes `rows` the elements of `out`, which covers its whole storage. */
function put(out: View, rows: Rows): void {
  if (isRows(out)) (out.storage as RowsStorage).rows = rows;
  else {
    const dtype = rows.values instanceof Float64Array ? 'float64' : 'float32';
    cpu.kernels.copy(hostView(denseArray(rows, dtype, out.numel), dtype, out.shape), out);
  }
}

/** All rows of a tensor of the host. */
const allRows = (values: TypedArray, shape: Shape): Rows => ({
  index: Int32Array.from({ length: shape[0] ?? 1 }, (_, i) => i),
  values,
  width: widthOf(shape),
  isDense: true,
});

/** Runs `compute` on a tensor of the host and stores all of its rows in `out`. */
function throughHost(out: View, compute: (out: View) => void): void {
  if (!isRows(out)) {
    compute(out);
    return;
  }
  const { dtype } = out.storage as RowsStorage;
  const values = allocate(dtype, out.numel);
  compute(hostView(values, dtype, out.shape));
  put(out, allRows(values, out.shape));
}

const copy: Kernels['copy'] = (x, out) => {
  if (!isRows(out)) return cpu.kernels.copy(onHost(x), out);
  if (!isWhole(out)) refuse('copy_', out);
  if (!isRows(x) || !isWhole(x)) return throughHost(out, (to) => cpu.kernels.copy(onHost(x), to));
  const rows = rowsOf('copy', x);
  if (x.dtype === out.dtype) return put(out, rows);
  const to = allocate(out.dtype, rows.values.length);
  to.set(rows.values as never);
  put(out, { ...rows, values: to });
};

/** A function that maps 0 to 0 needs to visit only the rows. */
const unary: Kernels['unary'] = (fn, x, out, parameters: Parameters = []) => {
  const [first = 0, second = 0] = parameters;
  if (fn.forward(0, first, second) !== 0) refuse(fn.name, x);
  const rows = rowsOf(fn.name, x);
  const { dtype } = x.storage as RowsStorage;
  const to = allocate(dtype, rows.values.length);
  cpu.kernels.unary(fn, hostView(rows.values, dtype), hostView(to, dtype), parameters);
  put(out, { ...rows, values: to });
};

/** Sums of rows, and their products with a number, stay rows; together with a dense tensor they become dense. */
const binary: Kernels['binary'] = (fn, a, b, out, parameters = []) => {
  const { name } = fn;
  const [first = 0, second = 0] = parameters;
  const single = [a, b].find((x) => !isRows(x) && x.numel === 1);
  if (single !== undefined) {
    const [x, isFirst] = single === b ? [a, true] : [b, false];
    const number = elementsOf(single)[0]!;
    if ((isFirst ? fn.forward(0, number, first, second) : fn.forward(number, 0, first, second)) !== 0) refuse(name, x);
    const rows = rowsOf(name, x);
    const { dtype } = x.storage as RowsStorage;
    const to = allocate(dtype, rows.values.length);
    const own = hostView(rows.values, dtype);
    const other = { ...single, shape: [1], strides: [1], isContiguous: true };
    cpu.kernels.binary(fn, isFirst ? own : other, isFirst ? other : own, hostView(to, dtype), parameters);
    return put(out, { ...rows, values: to });
  }
  if (!isRows(a) || !isRows(b))
    return throughHost(out, (to) => cpu.kernels.binary(fn, onHost(a), onHost(b), to, parameters));
  if ((name !== 'add' && name !== 'sub') || a.numel !== b.numel) refuse(name, a);
  const [x, y] = [rowsOf(name, a), rowsOf(name, b)];
  const dtype = out.dtype as RowsDType;
  const width = x.width || y.width;
  const both = allocate(dtype, x.values.length + y.values.length);
  both.set(x.values as never);
  both.set((name === 'add' ? y.values : y.values.map((v) => -v)) as never, x.values.length);
  put(out, { ...summed([...x.index, ...y.index], both, width, dtype), isDense: x.isDense || y.isDense });
};

const own: Partial<Kernels> = {
  copy,
  fill(value, out) {
    if (Number(value) === 0) return put(out, noRows(out.dtype));
    throughHost(out, (to) => cpu.kernels.fill(value, to));
  },
  unary,
  binary,
  reduce(which, x, _, out, power) {
    if (!reductions.includes(which) || out.numel !== 1 || !isRows(x)) refuse(which, x);
    const { index, values, width } = rowsOf(which, x);
    const dtype = x.dtype as RowsDType;
    // One 0 stands for all rows that are not stored.
    const all = allocate(dtype, values.length + (index.length * width < x.numel ? 1 : 0));
    all.set(values as never);
    cpu.kernels.reduce(which, hostView(all, dtype), [0], out, power);
  },
};

/** The reductions for which any number of zeros counts as much as one. */
const reductions: readonly Reduction[] = ['sum', 'norm', 'amax', 'amin'];

function refuse(op: string, x: View): never {
  throw new DTypeError(
    op,
    `takes dense tensors, got a sparse gradient of shape ${formatShape(x.shape)}; toDense() of @gradgate/core/sparse gives a dense one`,
  );
}

/** All other kernels refuse sparse gradients, and name the function that called them or themselves. */
const kernels = new Proxy(own as Kernels, {
  get: (table, name) =>
    table[name as keyof Kernels] ??
    ((...args: unknown[]) => {
      const [first] = args as [string | { readonly name?: string }];
      const views = args.flat().filter((arg): arg is View => (arg as View | null)?.storage !== undefined);
      const rows = views.find(isRows);
      if (rows !== undefined) refuse((typeof first === 'string' ? first : first?.name) ?? String(name), rows);
      return (cpu.kernels[name as keyof Kernels] as (...args: unknown[]) => void)(...args);
    }),
});

const backend: Backend = {
  name: cpu.name,
  over: cpu,
  // A single element is stored densely.
  allocate: (dtype, length, fill) =>
    length > 1 && (dtype === 'float32' || dtype === 'float64')
      ? new RowsStorage(dtype, length)
      : cpu.allocate(dtype, length, fill),
  read: (storage) => denseOf(storage as RowsStorage),
  readAsync: async (storage) => denseOf(storage as RowsStorage),
  write(storage, ...args) {
    if (!(storage instanceof RowsStorage)) return cpu.write(storage, ...args);
    throw new DTypeError('write', `takes dense tensors, got a sparse gradient of ${storage.length} elements`);
  },
  kernels,
};

// Writable, because a tensor whose memory was freed gets new memory.
Object.defineProperty(RowsStorage.prototype, 'backend', { value: backend, writable: true });
