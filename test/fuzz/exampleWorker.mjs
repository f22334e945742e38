import { AsyncLocalStorage } from 'node:async_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { init } from '@gradgate/distributed';
import { isTensor, Random } from './arguments.mjs';
import { changed } from './change.mjs';
import { judged } from './judge.mjs';
import { scope } from './scope.mjs';

const { first, last, seed, match, folder, state, only, examples } = workerData;

const AsyncFunction = (async () => {}).constructor;
const names = Object.keys(scope).filter((name) => name !== 'var');
const silent = Object.fromEntries(Object.keys(console).map((name) => [name, () => {}]));

/** The function of an example, and what it takes of the scope. */
function built({ code }) {
  const used = names.filter((name) => new RegExp(`(?<![.\\w])${name}\\b`).test(code));
  const run = new AsyncFunction('$change', '$list', '$use', 'console', ...used, `${code}; return run();`);
  const values = used.map((name) => scope[name]);
  return (change, list, use) => run(change, list, use, silent, ...values);
}

const within = (promise, ms) => {
  let timer;
  return Promise.race([promise, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]).finally(() =>
    clearTimeout(timer),
  );
};

const all = examples.filter(({ places }) => places.some((of) => of.includes(match)));
const fns = new Map();
const fresh = AsyncLocalStorage.snapshot();
process.on('unhandledRejection', () => {});
await init();
for (let i = first; i < last; i++) {
  const random = new Random(`${seed}:${i}`, folder);
  const example = random.pick(all);
  const { places } = example;
  const suitable = places.flatMap((of, place) => (of.includes(match) ? [place] : []));
  const chosen = [random.pick(suitable)];
  if (random.chance(0.2)) chosen.push(random.pick(suitable));
  const name = `${example.place} ${chosen.map((place) => places[place]).join(' and ')}`;
  parentPort.postMessage({ name });
  Atomics.store(state, 0, i);
  const show = (place, value) => {
    if (only) console.log(places[place], value);
    return value;
  };
  const change = (place, value) => {
    if (!chosen.includes(place)) return value;
    const other = changed(random, value);
    // A program that lists a sampler of 2^40 indices itself dies by itself.
    return show(place, other > 1e6 && example.code.includes('[...') ? 1e300 : other);
  };
  const list = (place, args) => {
    if (!chosen.includes(place)) return args;
    return show(place, random.chance(0.5) ? args.slice(0, -1) : [...args, changed(random, args.at(-1))]);
  };
  const use = (value) => {
    if (isTensor(value)) {
      String(value);
      if (value.requiresGrad && value.numel === 1) value.backward();
    }
    return value;
  };
  if (!fns.has(example)) fns.set(example, built(example));
  let text = null;
  let threw = null;
  try {
    await within(
      fresh(() => fns.get(example)(change, list, use)),
      3000,
    );
  } catch (error) {
    threw = error;
    text = judged(error);
  }
  if (only) console.log(example.code, threw ?? 'ended');
  if (text === null) parentPort.postMessage({ outcome: threw === null ? 'results' : 'refusals' });
  else parentPort.postMessage({ name, outcome: 'faults', fault: only ? `${text}\n${threw.stack}` : text, call: i });
}
parentPort.postMessage({ done: true });
