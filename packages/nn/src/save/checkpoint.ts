import { Generator, Tensor, TensorError } from '@gradgate/core';
import type { StateDict } from '../module.js';
import { readBytes, writeBytes } from './files.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

/** What has a state: a module, an optimizer, a scheduler, an average. */
export interface Stateful {
  stateDict(): object;
  loadStateDict(state: any): unknown;
}

/** What a training run consists of: things with a state, random generators, and plain values such as the epoch. */
export type Parts = Record<string, Stateful | Generator | Plain>;
type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

const isStateful = (v: unknown): v is Stateful =>
  (typeof v === 'object' || typeof v === 'function') &&
  v !== null &&
  typeof (v as Partial<Stateful>).stateDict === 'function' &&
  typeof (v as Partial<Stateful>).loadStateDict === 'function';

/** A state as tensors by dotted name and the rest as plain data, in which a tensor is `{ tensor: name }`. */
function separate(value: unknown, path: string, tensors: StateDict): unknown {
  if (value instanceof Tensor) {
    tensors[path] = value;
    return { tensor: path };
  }
  if (value === null || ['boolean', 'string'].includes(typeof value)) return value;
  // JSON has no NaN and no infinities.
  if (typeof value === 'number') return Number.isFinite(value) ? value : { number: String(value) };
  if (value === undefined) return { undefined: true };
  if (Array.isArray(value)) return value.map((v, i) => separate(v, `${path}.${i}`, tensors));
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value)))
    return { object: Object.entries(value).map(([k, v]) => [k, separate(v, `${path}.${k}`, tensors)]) };
  throw new TypeError(
    `saveCheckpoint: ${path} is ${typeof value === 'object' ? value.constructor?.name : typeof value}, which cannot be saved`,
  );
}

/** The reverse of `separate`. */
function join(value: unknown, tensors: StateDict): unknown {
  if (Array.isArray(value)) return value.map((v) => join(v, tensors));
  if (typeof value !== 'object' || value === null) return value;
  if ('tensor' in value) {
    const name = String(value.tensor);
    if (!Object.hasOwn(tensors, name)) throw new TensorError('loadCheckpoint', `the file has no tensor '${name}'`);
    return tensors[name];
  }
  if ('number' in value) return Number(value.number);
  if ('undefined' in value) return undefined;
  const { object } = value as { object?: unknown };
  if (!Array.isArray(object)) throw new TensorError('loadCheckpoint', 'the file holds no valid state');
  return Object.fromEntries(object.map(([k, v]) => [k, join(v, tensors)]));
}

/** The state of all parts as the bytes of a `.safetensors` file: what `saveCheckpoint` writes. */
export function encodeCheckpoint(parts: Parts): Uint8Array {
  const tensors: StateDict = {};
  const states = Object.entries(parts).map(([name, part]) => [
    name,
    separate(part instanceof Generator ? part.getState() : isStateful(part) ? part.stateDict() : part, name, tensors),
  ]);
  return encodeSafetensors(tensors, { gradgate: JSON.stringify({ version: 1, parts: Object.fromEntries(states) }) });
}

/**
 * Sets all parts to what `encodeCheckpoint` saved under their names, and gives back the plain values among them. If one
 * part refuses its state, all are put back to what they were.
 */
export function decodeCheckpoint<P extends Parts>(bytes: Uint8Array, parts: P): P {
  const { tensors, metadata } = decodeSafetensors(bytes);
  let saved: { version?: unknown; parts?: Record<string, unknown> };
  try {
    saved = JSON.parse(metadata['gradgate'] ?? '');
  } catch {
    throw new TensorError('loadCheckpoint', 'this .safetensors file is not a checkpoint; use load() for plain tensors');
  }
  if (saved.version !== 1 || typeof saved.parts !== 'object' || saved.parts === null)
    throw new TensorError('loadCheckpoint', `a checkpoint of version ${String(saved.version)} cannot be read; 1 can`);
  const { parts: states } = saved;
  const missing = Object.keys(parts).filter((name) => !Object.hasOwn(states, name));
  if (missing.length > 0)
    throw new TensorError(
      'loadCheckpoint',
      `the file has no ${missing.join(', ')}; it has ${Object.keys(states).join(', ')}`,
    );
  const found = Object.fromEntries(Object.keys(parts).map((name) => [name, join(states[name], tensors)]));
  const before = encodeCheckpoint(parts);
  const undo: [Stateful | Generator, unknown][] = [];
  const own = decodeSafetensors(before);
  const ownStates = (JSON.parse(own.metadata['gradgate']!) as { parts: Record<string, unknown> }).parts;
  const put = (part: Stateful | Generator, state: unknown) =>
    part instanceof Generator ? part.setState(state as number[]) : part.loadStateDict(state);
  try {
    for (const [name, part] of Object.entries(parts)) {
      if (!(part instanceof Generator) && !isStateful(part)) continue;
      undo.push([part, join(ownStates[name], own.tensors)]);
      put(part, found[name]);
    }
  } catch (error) {
    for (const [part, state] of undo) put(part, state);
    throw error;
  }
  return Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [
      name,
      part instanceof Generator || isStateful(part) ? part : found[name],
    ]),
  ) as P;
}

/**
 * Saves a training run so that it can be resumed: `saveCheckpoint(path, { model, optimizer, scheduler, generator, epoch })`.
 * The file is written as a whole or not at all.
 */
export async function saveCheckpoint(path: string, parts: Parts): Promise<void> {
  await writeBytes('saveCheckpoint', path, encodeCheckpoint(parts));
}

/**
 * Takes up a run that `saveCheckpoint` saved: `const { epoch } = await loadCheckpoint(path, { model, optimizer, epoch: 0 })`.
 * Modules, optimizers, schedulers and generators are set in place, all or none; plain values are given back.
 */
export async function loadCheckpoint<P extends Parts>(path: string, parts: P): Promise<P> {
  return decodeCheckpoint(await readBytes('loadCheckpoint', path), parts);
}
