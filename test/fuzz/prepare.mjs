import * as nn from '@gradgate/nn';
import { argumentsFor as fittingFor, isTensor, made, Random } from './arguments.mjs';
import { changed } from './change.mjs';
import { isClass, parameters } from './targets.mjs';

/** Arguments by the parameters' names; now and then with something changed inside of one that fits. */
function argumentsFor(random, names, how = {}) {
  const args = fittingFor(random, names, how);
  if (args.length > 0 && how.wrong === undefined && random.chance(0.15)) {
    const i = random.below(args.length);
    args[i] = changed(random, args[i]);
  }
  return args;
}

/** Reads a result as a program would. */
export async function use(result, random, depth = 0) {
  if (depth > 2 || result === null || result === undefined) return;
  if (typeof result?.then === 'function') await use(await within(result), random, depth + 1);
  else if (isTensor(result)) {
    String(result);
    if (result.requiresGrad && result.numel === 1 && random.chance(0.5)) result.backward();
  } else if (result instanceof nn.Module) {
    String(result);
    if (random.chance(0.5)) await use(result(...argumentsFor(random, ['x'])), random, depth + 1);
  } else if (typeof result === 'function' && !isClass(result)) {
    await use(result(...argumentsFor(random, ['x'])), random, depth + 1);
  } else if (typeof result?.next === 'function') {
    for (let i = 0; i < 3; i++) {
      const step = result.next();
      const { done } = (typeof step?.then === 'function' ? await within(step) : step) ?? { done: true };
      if (done) break;
    }
  }
}

/** Awaits a promise, but not one that waits for something the argument never provides. */
export const within = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 500))]);

/** The options of functions, by function or class, as listed by their error for an unknown option. */
const optionsOf = new Map();

const listed = /(?:[Tt]here are|[Tt]he only one is) ([\w, ]+)(?: \(called with|$)/;

/** A call's arguments, and a function that makes the call. */
export function prepared(target, random, how, instance) {
  const { on, value, method, fn } = target;
  if (on === 'class') {
    const args = argumentsFor(random, parameters(value), { options: optionsOf.get(value), ...how });
    return { args, call: () => Reflect.construct(value, args) };
  }
  if (on === 'function') {
    const args = argumentsFor(random, parameters(value), { options: optionsOf.get(value), ...how });
    return { args, call: () => value(...args) };
  }
  const self =
    instance ??
    (on === 'tensor' ? random.tensor() : on === 'instance' ? instanceOf(random.pick(target.heirs), random) : value);
  if (self === null) return null;
  // Setters and getters are called too.
  let descriptor;
  for (let p = self; p && !descriptor; p = Object.getPrototypeOf(p))
    descriptor = Object.getOwnPropertyDescriptor(p, method);
  if (descriptor?.get) {
    const args = descriptor.set && random.chance(0.5) ? argumentsFor(random, ['value'], how).slice(0, 1) : [];
    // A getter may give a method, which is called as one.
    const read = () => {
      const value = self[method];
      return typeof value === 'function' && !isClass(value) ? value.bind(self) : value;
    };
    return { args, call: () => (args.length > 0 ? Reflect.set(self, method, args[0]) && undefined : read()) };
  }
  const run = self[method];
  if (typeof run !== 'function') return null;
  const names = fn ? parameters(fn).slice(1) : parameters(run.original ?? run);
  const args = argumentsFor(random, names, { options: optionsOf.get(fn ?? run), ...how });
  return { args, call: () => run.apply(self, args), key: fn ?? run };
}

const keyOf = (target, preparation) => preparation?.key ?? target.value;

export function instanceOf(type, random) {
  const make = made[type.name];
  if (make) return make(random);
  for (let i = 0; i < 20; i++)
    try {
      return Reflect.construct(
        type,
        argumentsFor(random, parameters(type), { wrong: 0, options: optionsOf.get(type) }),
      );
    } catch {}
  return null;
}

/** Asks each target for its options by passing an unknown one; a target that ignores it is at fault. */
export function learn(all, folder) {
  const silent = [];
  for (const target of all) {
    // Errors have the options of JavaScript's own.
    if (target.value?.prototype instanceof Error) continue;
    // These read their options when a build starts.
    if (/(webpack|rspack)\.default(\.default)?$/.test(target.name)) continue;
    const random = new Random(target.name, folder);
    for (let i = 0; i < 12; i++) {
      let preparation = null;
      let error = null;
      try {
        preparation = prepared(target, random, { wrong: 0, all: true, options: null });
        if (preparation === null || !preparation.args.some((a) => a?.unknownOption === 1)) break;
        const result = preparation.call();
        if (typeof result?.then === 'function')
          result.then(
            () => {},
            () => {},
          );
        else silent.push(target.name);
      } catch (e) {
        error = e;
      }
      const list = listed.exec(String(error?.message))?.[1];
      if (list && /unknownOption/.test(error.message)) {
        optionsOf.set(keyOf(target, preparation), list.split(', '));
        break;
      }
    }
  }
  return silent;
}
