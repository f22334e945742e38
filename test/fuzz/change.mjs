import * as core from '@gradgate/core';
import { complex } from '@gradgate/core/complex';
import { sparseCooTensor } from '@gradgate/core/sparse';
import * as nn from '@gradgate/nn';
import { isTensor, ThrownByArgument } from './arguments.mjs';
import { isClass } from './targets.mjs';

const raise = () => {
  throw new ThrownByArgument('thrown by the argument');
};

/** A value that is nearly the right one, or any at all. */
export function changed(random, value) {
  if (random.chance(0.2)) return random.anything();
  // What only inherits from an iterator is none.
  if (typeof value?.next === 'function') return random.anything();
  const list = isTensor(value)
    ? ofTensors
    : Array.isArray(value) || ArrayBuffer.isView(value)
      ? ofLists
      : value instanceof nn.Module
        ? ofModules
        : (ofTypes[typeof value] ?? [() => random.anything()]);
  return random.pick(value === null ? [() => random.anything()] : list)(value, random);
}

const dtypes = ['float64', 'float32', 'int32', 'int64', 'bool', 'uint8', 'int16', 'float16', 'bfloat16'];
const plain = (t) => (t.requiresGrad ? t.detach() : t);

const ofTensors = [
  (t, r) => plain(t).to(r.pick(dtypes)),
  (t, r) => plain(t).to(r.pick(dtypes)),
  (t) => complex(plain(t).float(), 0),
  (t) => t.unsqueeze(0),
  (t) => t.unsqueeze(-1),
  (t) => t.reshape([-1]),
  (t) => (t.ndim > 1 ? t.transpose(0, -1) : t),
  (t) => (t.ndim > 0 ? t.narrow(0, 0, 0) : t),
  (t) => (t.ndim > 0 ? t.narrow(-1, 0, 0) : t),
  (t) => (t.ndim > 0 && t.shape[0] > 1 ? t.narrow(0, 1, t.shape[0] - 1) : t),
  (t) => (t.ndim > 0 && t.shape.at(-1) > 1 ? t.narrow(-1, 0, 1) : t),
  (t) => t.unsqueeze(0).expand(2, ...t.shape),
  (t) => core.cat([t.reshape([-1]), t.reshape([-1])]),
  (t, r) => plain(t).mul(r.pick([Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1e30, -1e30, 1e-40])),
  (t, r) => (t.dtype === 'bool' ? t : core.fullLike(plain(t), r.pick([0, 1, 3, 100]))),
  (t, r) => (/^int/.test(t.dtype) ? core.fullLike(t, r.pick([-1, -100, 2 ** 31 - 1, -(2 ** 31)])) : t),
  (t) => (t.isFloatingPoint ? plain(t).clone().requiresGrad_() : t),
  (t) => (t.dtype === 'float32' ? new nn.Parameter(plain(t).clone()) : t),
  (t) => core.inferenceMode.run(() => plain(t).clone()),
  (t) => new Proxy(t, {}),
  (t) => t.toArray(),
  (t) => [t],
  (t) => ({ a: t }),
  (t) => Promise.resolve(t),
  () => sparseCooTensor([[0], [1]], core.tensor([1]), [2, 2]),
  (_, r) => r.tensor(),
  () => core.tensor([]),
  () => core.tensor(2),
];

/** Not a size that just fits into memory: filling gigabytes takes minutes. */
const numberOf = (r) => {
  const n = r.number();
  return n === 2 ** 31 || n === 2 ** 32 ? 8 * n + 1 : n;
};

const ofTypes = {
  number: [
    (_, r) => numberOf(r),
    (_, r) => numberOf(r),
    (n) => n + 1,
    (n) => n - 1,
    (n) => -n,
    (n) => n + 0.5,
    (n) => n * 1000,
    (n) => n * 2 ** 34,
    (n) => (Number.isInteger(n) ? BigInt(n) : String(n)),
    (n) => String(n),
    (n) => [n],
    (n) => [n, n],
    (n) => core.tensor(n),
    (n) => Object(n),
    (n) => ({ valueOf: () => n }),
  ],
  string: [
    (s) => s.toUpperCase(),
    (s) => `${s} `,
    (s) => s.slice(1),
    (s) => `${s}\0`,
    (s) => [s],
    (s) => Object(s),
    (s) => s.slice(0, 5000).repeat(1000),
    () => '',
    () => 'constructor',
    () => '__proto__',
    () => 'toString',
  ],
  boolean: [(b) => !b, (b) => Number(b), (b) => String(b), (b) => [b], () => null, (b) => core.tensor(b)],
  function: [
    () => raise,
    () => async () => raise(),
    () => () => undefined,
    () => () => null,
    () => async () => undefined,
    () =>
      function* () {
        yield 1;
      },
    () => () => raise,
    () => class {},
    (f) => f.bind(null),
    // Nothing tells a proxy of a class from one of a function.
    (f) => (isClass(f) ? f : new Proxy(f, {})),
    (f, r) =>
      (...args) =>
        changed(r, f(...args)),
    (f, r) =>
      (...args) =>
        f(...args.map((a) => changed(r, a))),
    (f) =>
      async (...args) =>
        f(...args),
    (f) =>
      (...args) => {
        f(...args);
        return f(...args);
      },
  ],
  object: [
    (o) => ({ ...o, unknownOption: 1 }),
    (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [`${k}_`, v])),
    (o, r) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, changed(r, v)])),
    (o) => Object.fromEntries(Object.entries(o).slice(1)),
    (o) => Object.assign(Object.create(null), o),
    (o) => new Proxy(o, { get: raise }),
    (o) => new Proxy(o, { ownKeys: raise }),
    (o) => Object.create(o),
    (o) => Object.entries(o),
    (o) => new Map(Object.entries(o)),
    (o) => [o],
    () => ({}),
    () => null,
  ],
};

// Of what another thread or program has taken the memory nothing is left.
const copyOf = (a) => (ArrayBuffer.isView(a) && a.length === 0 ? [] : Array.from(a));
const ofLists = [
  (a) => copyOf(a).slice(1),
  (a) => copyOf(a).slice(0, -1),
  (a) => [...copyOf(a), ...copyOf(a)],
  (a, r) => [...copyOf(a), r.anything()],
  (a, r) => {
    const copy = copyOf(a);
    if (copy.length > 0) copy[r.below(copy.length)] = changed(r, copy[0]);
    return copy;
  },
  (a) => copyOf(a).reverse(),
  (a) => [copyOf(a)],
  (a) => new Set(copyOf(a)),
  (a) => copyOf(a).values(),
  (a) => Object.assign([], { length: Math.max(0, a.length | 0) + 1 }, copyOf(a)),
  (a) => Object.freeze(copyOf(a)),
  (a) => new Proxy(copyOf(a), {}),
  (a) => ({ ...copyOf(a), length: a.length }),
  () => [],
  (a) => a[0],
  // Nearly endless ones.
  (a) =>
    (function* () {
      for (let i = 0; i < 1e6; i++) yield a[0] ?? 1;
      raise();
    })(),
  // One that changes while it is read.
  (a) => {
    const copy = copyOf(a);
    const first = copy[0];
    return Object.defineProperty(copy, 0, {
      get: () => {
        if (copy.length > 1) copy.length--;
        return first;
      },
      enumerable: true,
      configurable: true,
    });
  },
  (a) =>
    Object.defineProperty(copyOf(a), 0, {
      get: (
        (seen) => () =>
          seen++ % 2 ? undefined : a[0]
      )(0),
      enumerable: true,
      configurable: true,
    }),
];

const ofModules = [
  () => new nn.Linear(3, 2),
  () => new nn.Sequential(),
  () => new nn.ReLU(),
  () => new nn.Identity(),
  () => nn.Linear,
  (m) => new Proxy(m, {}),
  (m) => [m],
  (m) => ({ m }),
  (m) => (x) => m(x),
  (m) => m.clone(),
  (m) => m.forward,
  (m) => Object.assign(m.clone(), { again: m }),
];
