import { Generator, noGrad, Tensor, TensorError } from '@gradgate/core';
import { isOfAnotherCopy, show } from '@gradgate/core/internal';
import type { StateDict } from '../module.js';
import { isPlain, maxDepth } from '../plain.js';
import { isStateful, type Stateful } from '../stateful.js';
import { type Bytes, shorten } from './bytes.js';
import { encodeOnHost } from './encodeOnHost.js';
import { readBytes, writeBytes } from './files.js';
import { encodeSafetensors, readSafetensors } from './safetensors.js';
import { isModest } from './safetensorsHeader.js';

/** The parts of a training run by name: objects with a state, random generators, and plain values such as the epoch. */
export type Parts = Record<string, Stateful | Generator | Plain>;
type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/**
 * Converts a state to plain data for JSON, in which `{ tensor: name }` refers to a tensor, and collects the tensors by
 * these names. A name is the dotted path, changed where keys with dots make two paths alike; loading goes by the
 * reference.
 */
function separate(op: string, value: unknown, path: string, tensors: StateDict, depth = 0): unknown {
  if (Tensor.is(value)) {
    let name = path;
    while (Object.hasOwn(tensors, name) || name === '__metadata__') name += "'";
    tensors[name] = value;
    return { tensor: name };
  }
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  // JSON has no NaN, no infinities and no -0.
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { number: Object.is(value, -0) ? '-0' : `${value}` };
  if (value === undefined) return { undefined: true };
  if (depth > maxDepth)
    throw new TypeError(`${op}: ${shorten(path)} is nested deeper than ${maxDepth} levels, or contains itself`);
  if (Array.isArray(value)) return Array.from(value, (v, i) => separate(op, v, `${path}.${i}`, tensors, depth + 1));
  if (isPlain(value))
    return { object: Object.entries(value).map(([k, v]) => [k, separate(op, v, `${path}.${k}`, tensors, depth + 1)]) };
  const what =
    typeof value === 'object' && !isOfAnotherCopy(value) ? value.constructor?.name || 'no plain object' : show(value);
  throw new TypeError(`${op}: ${shorten(path)} is ${what}, which cannot be saved`);
}

const refuse = (op: string, message: string): never => {
  throw new TensorError(op, message);
};

/** The inverse of `separate`. The depth of the recursion is that of the JSON, which has been checked. */
function join(op: string, value: unknown, tensors: StateDict): unknown {
  if (Array.isArray(value)) return value.map((v) => join(op, v, tensors));
  if (typeof value !== 'object' || value === null) return value;
  if ('tensor' in value) {
    const name = String(value.tensor);
    return Object.hasOwn(tensors, name) ? tensors[name] : refuse(op, `the file has no tensor '${shorten(name)}'`);
  }
  if ('number' in value) return Number(value.number);
  if ('undefined' in value) return undefined;
  const { object } = value as { object?: unknown };
  if (!Array.isArray(object) || !object.every((e) => Array.isArray(e) && typeof e[0] === 'string'))
    return refuse(op, 'the file holds no valid state');
  return Object.fromEntries(object.map(([k, v]) => [k, join(op, v, tensors)]));
}

const stateOf = (part: unknown): unknown =>
  part instanceof Generator ? part.getState() : isStateful(part) ? part.stateDict() : part;

function checkParts(op: string, parts: unknown): void {
  if (typeof parts !== 'object' || parts === null || Array.isArray(parts) || Tensor.is(parts) || isStateful(parts))
    throw new TypeError(`${op}: takes an object of parts by name, such as { model, optimizer }, got ${show(parts)}`);
}

/**
 * Encodes the state of all parts as the bytes of a `.safetensors` file, as `saveCheckpoint` writes it.
 *
 * ```ts
 * const model = new Linear(3, 2);
 * decodeCheckpoint(encodeCheckpoint({ model, epoch: 3 }), { model, epoch: 0 }).epoch; // 3
 * ```
 */
export function encodeCheckpoint(parts: Parts): Uint8Array {
  const { states, tensors } = statesOf('encodeCheckpoint', parts);
  return encode(states, tensors);
}

interface States {
  readonly states: Record<string, unknown>;
  readonly tensors: StateDict;
}

/** The current states of all parts. */
function statesOf(op: string, parts: Parts): States {
  checkParts(op, parts);
  const tensors: StateDict = Object.create(null);
  const states = Object.entries(parts).map(([name, part]) => [name, separate(op, stateOf(part), name, tensors)]);
  return { states: Object.fromEntries(states), tensors };
}

const encode = (states: States['states'], tensors: StateDict): Uint8Array =>
  encodeSafetensors(tensors, { gradgate: JSON.stringify({ version: 1, parts: states }) });

/** A level of a state takes three levels in the file. */
const maxJsonDepth = 3 * (maxDepth + 2);
const maxCommas = 8_000_000;

/** The states in a checkpoint, by the names of the parts. */
function readStates(op: string, bytes: Bytes): States {
  const { tensors, metadata } = readSafetensors(op, bytes);
  const text = Object.hasOwn(metadata, 'gradgate') ? metadata['gradgate']! : '';
  if (!isModest(new TextEncoder().encode(text), maxJsonDepth, maxCommas))
    refuse(op, 'the state is nested too deep, or has more values than any run');
  let saved: { version?: unknown; parts?: Record<string, unknown> } | null;
  try {
    saved = JSON.parse(text);
  } catch {
    return refuse(op, 'this .safetensors file is not a checkpoint; use load() for plain tensors');
  }
  if (saved?.version !== 1 || typeof saved.parts !== 'object' || saved.parts === null)
    return refuse(op, `a checkpoint of version ${show(saved?.version)} cannot be read; 1 can`);
  return { states: saved.parts, tensors };
}

/**
 * Restores all parts from the states that `encodeCheckpoint` saved under their names; returns the parts, with plain
 * values as saved. If one part refuses its state, all are restored to what they were.
 *
 * ```ts
 * const model = new Linear(3, 2);
 * decodeCheckpoint(encodeCheckpoint({ model, epoch: 3 }), { model, epoch: 0 }).epoch; // 3
 * ```
 */
export function decodeCheckpoint<P extends Parts>(bytes: Bytes, parts: P): P {
  return decode('decodeCheckpoint', bytes, parts);
}

function decode<P extends Parts>(op: string, bytes: Bytes, parts: P): P {
  checkParts(op, parts);
  const { states, tensors } = readStates(op, bytes);
  const missing = Object.keys(parts).filter((name) => !Object.hasOwn(states, name));
  if (missing.length > 0)
    refuse(
      op,
      `the file has no ${missing.map(shorten).join(', ')}; it has ${Object.keys(states).map(shorten).join(', ')}`,
    );
  const found = Object.fromEntries(Object.keys(parts).map((name) => [name, join(op, states[name], tensors)]));
  const own = statesOf(op, parts);
  // Copies to restore from if a part refuses its state; the tensors themselves will be overwritten.
  for (const [name, t] of Object.entries(own.tensors)) own.tensors[name] = noGrad.run(() => t.detach().clone());
  const undo: [Stateful | Generator, unknown][] = [];
  const put = (part: Stateful | Generator, state: unknown) =>
    part instanceof Generator ? part.setState(state as number[]) : part.loadStateDict(state);
  try {
    for (const [name, part] of Object.entries(parts)) {
      if (!(part instanceof Generator) && !isStateful(part)) continue;
      undo.push([part, join(op, own.states[name], own.tensors)]);
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
 * Saves a training run so that it can be resumed: `saveCheckpoint(path, { model, optimizer, scheduler, loader, epoch
 * })`. The file is written as a whole or not at all, with the state at the time of the call.
 *
 * ```ts
 * const model = new Linear(3, 2);
 * const optimizer = new optim.Adam(model.parameters());
 * await saveCheckpoint('run.safetensors', { model, optimizer, epoch: 3 });
 * ```
 */
export async function saveCheckpoint(path: string | URL, parts: Parts): Promise<void> {
  const { states, tensors } = statesOf('saveCheckpoint', parts);
  await writeBytes('saveCheckpoint', path, await encodeOnHost(tensors, (values) => encode(states, values)));
}

/**
 * Resumes a run that `saveCheckpoint` saved: `const { epoch } = await loadCheckpoint(path, { model, optimizer, epoch: 0
 * })`. Restores modules, optimizers, schedulers, loaders and generators in place, all or none; plain values are
 * returned.
 *
 * ```ts
 * const model = new Linear(3, 2);
 * await saveCheckpoint('model-only.safetensors', { model, epoch: 3 });
 * const { epoch } = await loadCheckpoint('model-only.safetensors', { model, epoch: 0 });
 * epoch; // 3
 * ```
 */
export async function loadCheckpoint<P extends Parts>(path: string | URL, parts: P): Promise<P> {
  return decode('loadCheckpoint', await readBytes('loadCheckpoint', path), parts);
}
