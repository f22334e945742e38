import { getDefaultDevice } from '../backend/backends.js';
import { isPlain } from '../check.js';
import { currentFrame } from '../grad/index.js';
import { Tensor } from '../tensor/tensor.js';

/** What a record is for: it may replay all calls of its signature. */
export interface Signature {
  readonly key: string;
  /** The tensors among the arguments, without repetition. */
  readonly tensors: Tensor[];
  /** Why no call of this signature can be recorded; null if it can. */
  readonly refused: string | null;
}

const ids = { objects: new WeakMap<object, number>(), symbols: new Map<symbol, number>(), next: 1 };

/** A number for what is compared by identity. */
export function idOf(value: object | symbol): number {
  const known = (typeof value === 'symbol' ? ids.symbols : ids.objects) as Map<object | symbol, number>;
  let id = known.get(value);
  if (id === undefined) {
    id = ids.next++;
    known.set(value, id);
  }
  return id;
}

/**
 * Modes that are not compared: each call takes the generator anew, and a scope of `tidy` covers what a replay makes.
 */
const free: ReadonlySet<string> = new Set(['gradgate.generator', 'gradgate.tidy']);

/**
 * The signature of a call: shapes, dtypes, strides and `requiresGrad` of tensors, plain values, identities of objects,
 * all modes.
 */
export function signatureOf(self: unknown, args: readonly unknown[]): Signature {
  const tensors: Tensor[] = [];
  const parts: string[] = [];
  const state = { refused: null as string | null };
  addMode(parts);
  for (const value of [self, ...args]) add(value, parts, tensors, state, 0);
  return { key: parts.join(' '), tensors, refused: state.refused };
}

function addMode(parts: string[]): void {
  const { enabled, inference, settings } = currentFrame();
  parts.push(enabled ? 'grad' : 'noGrad', inference ? 'inference' : '', getDefaultDevice());
  if (settings !== null)
    for (const [name, { value }] of settings)
      if (!free.has(name))
        parts.push(`${name}=${value instanceof Set ? [...value].map(plain).sort().join() : plain(value)}`);
}

const plain = (value: unknown): string => {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function' || typeof value === 'symbol')
    return `#${idOf(value)}`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  return Object.is(value, -0) ? '-0' : String(value);
};

/** Arguments that are nested deeper most likely contain themselves. */
const maxDepth = 32;

function add(
  value: unknown,
  parts: string[],
  tensors: Tensor[],
  state: { refused: string | null },
  depth: number,
): void {
  if (state.refused !== null) return;
  if (Tensor.is(value)) addTensor(value, parts, tensors, state);
  else if (depth > maxDepth) state.refused = 'an argument is nested too deep, or contains itself';
  else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    state.refused = `an argument is a ${value.constructor.name}, which the next call may have other numbers in; pass a tensor`;
  else if (Array.isArray(value)) {
    parts.push('[');
    for (const item of value) add(item, parts, tensors, state, depth + 1);
    parts.push(']');
  } else if (isPlain(value)) {
    parts.push('{');
    for (const [name, item] of Object.entries(value)) {
      parts.push(JSON.stringify(name));
      add(item, parts, tensors, state, depth + 1);
    }
    parts.push('}');
  } else parts.push(plain(value));
}

function addTensor(t: Tensor, parts: string[], tensors: Tensor[], state: { refused: string | null }): void {
  const known = tensors.indexOf(t);
  if (known >= 0) {
    parts.push(`=${known}`);
    return;
  }
  const { dtype, shape, strides, storage, inference, requiresGrad } = t;
  if (tensors.some((other) => other.storage === storage))
    state.refused = 'two of its arguments are different tensors over one memory';
  const { device } = t;
  if (device !== 'cpu' && !storage.backend.captures) state.refused = `an argument is on ${device}`;
  tensors.push(t);
  parts.push(
    `${device === 'cpu' ? '' : `${device}:`}${dtype}[${shape}](${strides})${requiresGrad ? (t.isLeaf ? 'g' : 'n') : ''}${inference ? 'i' : ''}`,
  );
}
