import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import * as core from '@gradgate/core';
import * as nn from '@gradgate/nn';
import { argumentsFor, Random, ThrownByArgument } from './arguments.mjs';

const { first, last, seed, match, folder, state, only } = workerData;

/** Not to be called: they change what all later calls do, write to the terminal, or start what does not end. */
const excluded =
  /\.(setProductBackend|setNumThreads|setReporter|setDevelopmentMode|setGradEnabled|openblas|showProgress|progress|workerDataset|observeGradModes|init|destroy|world|noSync.enter)$/;

/** All functions, classes, methods and gates that the packages export, by name. */
async function targets() {
  const found = [];
  const packages = new URL('../../packages/', import.meta.url);
  for (const folder of readdirSync(packages)) {
    const { name, exports = {} } = JSON.parse(readFileSync(new URL(`${folder}/package.json`, packages), 'utf8'));
    for (const [entry, target] of Object.entries(exports)) {
      const file = target.default ?? target.import;
      if (!file?.endsWith('.js') || /internal|register/.test(entry)) continue;
      const module = await import(pathToFileURL(join(packages.pathname, folder, file)).href).catch(() => null);
      if (module) walk(found, entry === '.' ? name : `${name}/${entry.slice(2)}`, module, new Set());
    }
  }
  const tensor = Object.getOwnPropertyNames(core.Tensor.prototype);
  for (const method of tensor) found.push({ name: `Tensor.${method}`, on: 'tensor', method });
  return found.filter((t) => !excluded.test(t.name) && t.name.includes(match));
}

function walk(found, path, module, seen) {
  for (const [key, value] of Object.entries(module)) {
    const name = `${path}.${key}`;
    // What nn.functional passes on is called as core's.
    if (seen.has(value) || (path.endsWith('functional') && core[key] === value)) continue;
    seen.add(value);
    if (typeof value === 'function') {
      const isClass = /^class\b/.test(Function.prototype.toString.call(value));
      found.push({ name, on: isClass ? 'class' : 'function', value });
      if (!isClass) continue;
      const methods = new Set();
      for (
        let p = value.prototype;
        p && p !== Object.prototype && p !== Function.prototype;
        p = Object.getPrototypeOf(p)
      )
        for (const method of Object.getOwnPropertyNames(p)) if (method !== 'constructor') methods.add(method);
      if (!(value.prototype instanceof Error) && value !== core.Tensor)
        for (const method of methods) found.push({ name: `${name}.${method}`, on: 'instance', value, method });
    } else if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) !== Array.prototype) {
      if (value[Symbol.toStringTag] === 'Module') walk(found, name, value, seen);
      else
        for (const method of ['run', 'wrap', 'enter'])
          if (typeof value[method] === 'function')
            found.push({ name: `${name}.${method}`, on: 'object', value, method });
    }
  }
}

const v8 =
  /Cannot read|is not a function|is not iterable|is not a constructor|Invalid typed array|Invalid array|Array buffer|Cannot convert|Cannot mix|Maximum call stack|undefined is|null is|Cannot destructure|Class constructor|Cannot set|Cannot assign|Cannot redefine|Cannot define|Invalid time|Invalid string length|Invalid count|out of bounds|offset is|private member|private field|Reduce of empty|object is not extensible|read only|Generator is already|called on incompatible|not a valid|Invalid Date|must be a|allocation failed|is not defined|before initialization|unreachable|The "\w+" argument|invalid array length|toFixed|circular structure|serialize a BigInt|could not be cloned/i;

/** Whether an error is one of the project's own: it names who refuses. */
function isOurs(error) {
  if (!(error instanceof Error)) return false;
  if (error instanceof ThrownByArgument) return true;
  // A proxy that was revoked says so itself.
  if (/proxy that has been revoked/.test(error.message)) return true;
  if (error.code === 'ENOENT' || error.code === 'EISDIR' || error.code === 'ENAMETOOLONG' || error.code === 'ENOTDIR')
    return true;
  if (error instanceof core.TensorError || error instanceof core.GradModeError) return true;
  return /^[\w@][\w.#@/ ]*: /.test(error.message) && !v8.test(error.message);
}

/** Looks at a result as a program would. */
async function use(result, random, depth = 0) {
  if (depth > 2 || result === null || result === undefined) return;
  if (typeof result?.then === 'function') {
    await use(await within(result), random, depth + 1);
    return;
  }
  if (result instanceof core.Tensor) {
    String(result);
    if (result.requiresGrad && result.numel === 1 && random.chance(0.5)) result.backward();
  } else if (result instanceof nn.Module) {
    String(result);
    if (random.chance(0.5)) await use(result(...argumentsFor(random, 'forward', ['x'])), random, depth + 1);
  } else if (typeof result === 'function' && !/^class\b/.test(Function.prototype.toString.call(result))) {
    await use(result(...argumentsFor(random, 'result', ['x'])), random, depth + 1);
  } else if (typeof result?.next === 'function') {
    for (let i = 0; i < 3; i++) {
      const step = result.next();
      const { done } = typeof step?.then === 'function' ? await within(step) : step;
      if (done) break;
    }
  }
}

/** A promise, given up where it waits for what the argument itself never gives. */
const within = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 2000))]);

const parametersOf = new Map();
/** The names of a function's parameters, as its text has them: they say what fits. */
export function parameters(fn) {
  let names = parametersOf.get(fn);
  if (names) return names;
  let text = Function.prototype.toString.call(fn);
  if (/^class\b/.test(text)) text = /(?:^|\n)\s*constructor\s*\(([\s\S]*)/.exec(text)?.[0] ?? '';
  const start = text.indexOf('(');
  if (start < 0 || /^\w+\s*=>/.test(text)) names = [/^\w+/.exec(text)?.[0] ?? 'x'];
  else {
    let depth = 0;
    let end = start;
    for (; end < text.length; end++) {
      if ('([{'.includes(text[end])) depth++;
      else if (')]}'.includes(text[end]) && --depth === 0) break;
    }
    names = [];
    let part = '';
    depth = 0;
    for (const c of `${text.slice(start + 1, end)},`) {
      if ('([{'.includes(c)) depth++;
      if (')]}'.includes(c)) depth--;
      if (c !== ',' || depth > 0) part += c;
      else {
        const name = /^\s*\{/.test(part) ? 'options' : part.split('=')[0].trim();
        if (name) names.push(name);
        part = '';
      }
    }
  }
  parametersOf.set(fn, names);
  return names;
}

/** The options a function takes, as it says itself when it is given one that it does not have. */
const optionsOf = new Map();
function learnOptions(name, error) {
  const list = /(?:[Tt]here are|[Tt]he only one is) ([\w, ]+)$/.exec(String(error?.message))?.[1];
  if (list) optionsOf.set(name, list.split(', '));
}

async function instanceOf({ value, name }, random) {
  const valid = argumentsFor(random, name, parameters(value), { wrong: 0, options: optionsOf });
  return Reflect.construct(value, valid);
}

async function callOf(target, random) {
  const { name, on, value, method } = target;
  if (on === 'class') {
    const args = argumentsFor(random, name, parameters(value), { options: optionsOf });
    return Reflect.construct(value, args);
  }
  if (on === 'function') {
    const names = parameters(value);
    return value(...argumentsFor(random, name, names, { options: optionsOf }));
  }
  let self = value;
  if (on === 'tensor') self = random.tensor();
  if (on === 'instance') {
    try {
      self = await instanceOf(target, random);
    } catch {
      return undefined;
    }
  }
  // Setters and getters are called as such.
  let descriptor;
  for (let p = self; p && !descriptor; p = Object.getPrototypeOf(p))
    descriptor = Object.getOwnPropertyDescriptor(p, method);
  if (descriptor?.get) {
    if (descriptor.set && random.chance(0.5)) self[method] = argumentsFor(random, name, ['value'])[0];
    return self[method];
  }
  const fn = self[method];
  if (typeof fn !== 'function') return undefined;
  return fn.apply(self, argumentsFor(random, name, parameters(fn.original ?? fn), { options: optionsOf }));
}

process.on('unhandledRejection', () => {});
// Packages whose functions need it are in a world of one rank.
await (await import('@gradgate/distributed')).init();
const all = await targets();
parentPort.postMessage({ name: 'start' });
for (let i = first; i < last; i++) {
  const random = new Random(`${seed}:${i}`, folder);
  const target = random.pick(all);
  parentPort.postMessage({ name: target.name });
  Atomics.store(state, 0, i);
  let error = null;
  let threw = false;
  try {
    await use(await callOf(target, random), random);
  } catch (e) {
    error = e;
    threw = true;
  }
  learnOptions(target.name, error);
  if (!threw) parentPort.postMessage({ outcome: 'results' });
  else if (isOurs(error)) parentPort.postMessage({ outcome: 'refusals' });
  else
    parentPort.postMessage({
      name: target.name,
      fault: only ? String(error?.stack ?? error) : String(error?.message ?? 'no Error'),
      call: i,
    });
  if (only && threw) console.log(target.name, error);
  core.noGrad.run(() => {});
}
parentPort.postMessage({ done: true });
