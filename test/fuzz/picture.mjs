import * as nn from '@gradgate/nn';
import { isTensor } from './arguments.mjs';

/** Numbers for objects that are told apart by being themselves. */
const numbers = new WeakMap();
let count = 0;
function numberOf(object) {
  if (!numbers.has(object)) numbers.set(object, ++count);
  return numbers.get(object);
}

/**
 * What can be seen of a value without running a getter of it: fields and elements at any depth, the values, dtypes, versions
 * and gradients of tensors, the state of what has one. Two pictures of an object are equal if nothing has changed it.
 */
export function picture(value, depth = 0, seen = new Set()) {
  try {
    return drawn(value, depth, seen);
  } catch {
    return 'unreadable';
  }
}

function drawn(value, depth, seen) {
  if (typeof value === 'symbol' || typeof value === 'string') return `${typeof value} ${String(value).slice(0, 200)}`;
  if (Object.is(value, -0)) return '-0';
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return String(value);
  if (seen.has(value) || depth > 6) return 'again';
  seen.add(value);
  const inner = (v) => picture(v, depth + 1, seen);
  if (isTensor(value)) return ofTensor(value, inner);
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} ${value.length} ${Array.from(value).slice(0, 500)}`;
  // Lists and records may be new each time; anything else is told apart by being itself.
  const own = Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));
  const parts = own ? [] : [`${typeof value} ${numberOf(value)}`];
  if (typeof value.stateDict === 'function') parts.push(`state ${inner(value.stateDict())}`);
  if (value instanceof nn.Module) for (const [name, p] of value.namedParameters()) parts.push(`${name} ${inner(p)}`);
  if (value instanceof Map || value instanceof Set) for (const entry of value) parts.push(inner(entry));
  for (const [key, { value: v }] of Object.entries(Object.getOwnPropertyDescriptors(value)).slice(0, 200))
    parts.push(`${key}: ${inner(v)}`);
  return `{${parts.join(', ')}}`;
}

function ofTensor(t, inner) {
  const values = t.numel <= 2000 ? t.detach().toArray() : [];
  const version = t.isInference ? 0 : t.version;
  return `Tensor ${t.dtype} [${t.shape}] ${t.requiresGrad} ${version} ${inner(t.grad)} ${JSON.stringify(values, (_, v) => (typeof v === 'bigint' || typeof v === 'number' ? String(v) : v))}`;
}
