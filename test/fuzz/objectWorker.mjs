import { parentPort, workerData } from 'node:worker_threads';
import { init } from '@gradgate/distributed';
import { isTensor, Random, ThrownByArgument } from './arguments.mjs';
import { fault } from './judge.mjs';
import { picture } from './picture.mjs';
import { instanceOf, learn, prepared, within } from './prepare.mjs';
import { suitable } from './suitable.mjs';
import { isClass, targets } from './targets.mjs';

const { first, last, seed, match, folder, state, only } = workerData;

process.on('unhandledRejection', () => {});
await init();
const { targets: everything, classes } = await targets();
parentPort.postMessage({ name: 'asking for options' });
learn(everything, folder);

const ofTensors = everything.filter(({ on }) => on === 'tensor');
const ofInstances = everything.filter(({ on }) => on === 'instance');
/** Types and the targets that are called on their instances. */
const types = [...classes]
  .filter((type) => !(type.prototype instanceof Error) && type.fuzzName.includes(match))
  .map((type) => [type, ofInstances.filter(({ heirs }) => heirs.includes(type))])
  .filter(([, members]) => members.length > 0);

const builtins = new Set(
  Object.getOwnPropertyNames(globalThis).flatMap((name) => (/^[A-Z]/.test(name) ? [globalThis[name]?.prototype] : [])),
);
builtins.add(Object.getPrototypeOf(Int8Array.prototype));

/** Those that remember what was called, other than layers. */
const stateful = types.filter(([type]) => !/^@gradgate\/(nn|distributions)\.\w+$/.test(type.fuzzName));

/** What a program may do with an object that it has from somewhere, such as an iterator or the handle of a hook. */
function membersOf(object) {
  if (isTensor(object)) return ofTensors;
  for (const [type, members] of types) if (object?.constructor === type) return members;
  const names = new Set();
  for (let p = object; p && p !== Object.prototype && p !== Function.prototype; p = Object.getPrototypeOf(p)) {
    if (builtins.has(p)) return [];
    // An iterator throws what it is told to.
    for (const name of Reflect.ownKeys(p))
      if (name !== 'constructor' && name !== 'throw' && isMethod(Object.getOwnPropertyDescriptor(p, name).value))
        names.add(name);
  }
  return [...names].map((method) => ({ name: String(method), on: 'instance', method }));
}

const isMethod = (value) => typeof value === 'function' && !isClass(value);

const isObject = (x) => (typeof x === 'object' && x !== null) || (typeof x === 'function' && !isClass(x));

/** One call on one of the objects; gives what happened as [name, fault or null, error or undefined]. */
async function step(objects, names, random) {
  const at = random.chance(0.6) ? 0 : random.below(objects.length);
  const object = objects[at];
  random.self = object;
  const members = membersOf(object);
  const callable = typeof object === 'function' && random.chance(members.length > 0 ? 0.3 : 1);
  if (!callable && members.length === 0) return null;
  const target = callable ? { name: 'call', on: 'function', value: object } : random.pick(members);
  const name = `${names[at]}.${target.name.split('.').at(-1)}`;
  if (only) console.log(name);
  const preparation = prepared(target, random, { wrong: random.pick([0, 0, 0, 0.15, 0.5]) }, object);
  if (preparation === null) return null;
  const method = callable ? 'call' : target.method;
  const given = random.chance(0.6) ? suitable(random, method, object) : null;
  const args = given ?? preparation.args;
  const call = given === null ? preparation.call : () => (callable ? object(...given) : object[method](...given));
  // What functions that are passed in do is their own.
  const calls = args.some((a) => picture(a).includes('function'));
  const before = calls ? null : [object, ...args].map((v) => picture(v));
  if (only) console.log(args);
  try {
    const result = await within(call());
    if (isObject(result) && !objects.includes(result) && !isTensor(result) && objects.length < 6) {
      objects.push(result);
      names.push(`${name}()`);
    } else if (isTensor(result)) String(result);
    return [name, null];
  } catch (error) {
    const text = fault(error);
    if (text !== null || before === null) return [name, text, error];
    const after = [object, ...args].map((v) => picture(v));
    // What a lazy layer writes for its first input is taken back, and counted.
    const same = (a, b) =>
      a === b || a === 'unreadable' || b === 'unreadable' || (/Lazy/.test(name) && uncounted(a) === uncounted(b));
    const i = before.findIndex((b, k) => !same(b, after[k]));
    if (i < 0 || error instanceof ThrownByArgument) return [name, null, error];
    const what = i === 0 ? 'the object' : 'an argument';
    return [name, `refuses, but has changed ${what}\n${difference(before[i], after[i])}; ${error.message}`, error];
  }
}

const uncounted = (text) => text.replaceAll(/(true|false) \d+/g, '$1');

function difference(a, b) {
  let i = 0;
  while (a[i] === b[i]) i++;
  return `${a.slice(Math.max(0, i - 30), i + 40)} became ${b.slice(Math.max(0, i - 30), i + 40)}`.replaceAll('\n', ' ');
}

for (let i = first; i < last; i++) {
  const random = new Random(`${seed}:${i}`, folder);
  const [type] = random.pick(random.chance(0.6) && stateful.length > 0 ? stateful : types);
  let name = type.fuzzName;
  parentPort.postMessage({ name });
  Atomics.store(state, 0, i);
  let object = null;
  try {
    object = random.chance(0.1) ? random.tensor() : instanceOf(type, random);
  } catch {}
  let refusals = 0;
  let text = null;
  let error;
  if (object !== null) {
    const objects = [object];
    const names = [isTensor(object) ? 'Tensor' : name];
    for (let k = 0; k < 12 && text === null; k++) {
      const done = await step(objects, names, random);
      if (done === null) continue;
      [name, text, error] = done;
      if (error !== undefined) refusals++;
      if (only) console.log(error === undefined ? '  gave a result' : `  ${error?.message ?? error}`);
    }
  }
  if (text === null) parentPort.postMessage({ outcome: refusals > 0 ? 'refusals' : 'results' });
  else
    parentPort.postMessage({
      name,
      outcome: 'faults',
      fault: only ? `${text}\n${String(error?.stack)}` : text,
      call: i,
    });
}
parentPort.postMessage({ done: true });
