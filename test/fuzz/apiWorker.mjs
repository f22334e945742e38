import { parentPort, workerData } from 'node:worker_threads';
import { init } from '@gradgate/distributed';
import * as nn from '@gradgate/nn';
import { argumentsFor, isTensor, made, Random, ThrownByArgument } from './arguments.mjs';
import { fault } from './judge.mjs';
import { isClass, parameters, targets } from './targets.mjs';

const { first, last, seed, match, folder, state, only } = workerData;

/** The name at the beginning of an error's message. */
const namedBy = (error) => /^([\w.]+): /.exec(error?.message ?? '')?.[1];

/** An operator's errors begin with its name, even if it is made of others; errors of a callback are the callback's. */
function misnamed(target, args, error) {
  if (!(error instanceof Error) || error instanceof ThrownByArgument || fault(error) !== null) return null;
  const operator = /^@gradgate\/core\.(\w+)$|^Tensor\.(\w+)$|^@gradgate\/nn\.(?:functional|init)\.(\w+)$/.exec(
    target.name,
  );
  if (
    operator === null ||
    target.name.endsWith('refuseRead') ||
    target.on === 'class' ||
    args.some((a) => typeof a === 'function')
  )
    return null;
  const name = operator[1] ?? operator[2] ?? operator[3];
  const by = namedBy(error);
  return by === name || by === undefined ? null : `names ${by}: ${error.message}`;
}

/** Constraints and devices refuse in the name of who asks, whatever it is. */
const refusesInGivenName = ({ name }, args) =>
  (name.endsWith('.refuseRead') && typeof args[1] === 'string') ||
  (/constraints\.\w+\.check$/.test(name) && typeof args[0] === 'string');

/** Reads a result as a program would. */
async function use(result, random, depth = 0) {
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
const within = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 500))]);

/** The options of functions, by function or class, as listed by their error for an unknown option. */
const optionsOf = new Map();

const listed = /(?:[Tt]here are|[Tt]he only one is) ([\w, ]+)(?: \(called with|$)/;

/** A call's arguments, and a function that makes the call. */
function prepared(target, random, how) {
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
    on === 'tensor' ? random.tensor() : on === 'instance' ? instanceOf(random.pick(target.heirs), random) : value;
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

function instanceOf(type, random) {
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
function learn(all) {
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

process.on('unhandledRejection', () => {});
// Packages that need a group of ranks get one of a single rank.
await init();
const { targets: everything, classes } = await targets();
parentPort.postMessage({ name: 'asking for options' });
const silent = learn(everything);
const all = everything.filter((t) => t.name.includes(match));
if (first === 0) {
  for (const name of silent)
    if (name.includes(match))
      parentPort.postMessage({ name, fault: 'takes an option that there is none of', call: -1 });
  for (const type of classes)
    if (type.fuzzName.includes(match) && instanceOf(type, new Random(type.name, folder)) === null)
      parentPort.postMessage({ name: type.fuzzName, fault: 'no instance could be made to call methods of', call: -1 });
}
for (let i = first; i < last; i++) {
  const random = new Random(`${seed}:${i}`, folder);
  const target = random.pick(all);
  parentPort.postMessage({ name: target.name });
  Atomics.store(state, 0, i);
  let error = null;
  let threw = false;
  let args = [];
  let text = null;
  try {
    const preparation = prepared(target, random, {});
    args = preparation?.args ?? [];
    let result;
    try {
      result = await preparation?.call();
    } catch (e) {
      text = misnamed(target, args, e);
      throw e;
    }
    await use(result, random);
  } catch (e) {
    error = e;
    threw = true;
    text ??= refusesInGivenName(target, args) ? null : fault(e);
  }
  if (!threw) parentPort.postMessage({ outcome: 'results' });
  else if (text === null) parentPort.postMessage({ outcome: 'refusals' });
  else
    parentPort.postMessage({
      name: target.name,
      outcome: 'faults',
      fault: only ? `${text}\n${String(error?.stack)}` : text,
      call: i,
    });
  if (only) console.log(target.name, args, threw ? error : 'gave a result');
}
parentPort.postMessage({ done: true });
