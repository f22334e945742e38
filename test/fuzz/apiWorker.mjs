import { parentPort, workerData } from 'node:worker_threads';
import { init } from '@gradgate/distributed';
import { Random, ThrownByArgument } from './arguments.mjs';
import { fault, judged } from './judge.mjs';
import { instanceOf, learn, prepared, use } from './prepare.mjs';
import { targets } from './targets.mjs';

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
  // Of memory that was given back the function speaks that would read it.
  return by === name || by === undefined || /was given back/.test(error.message)
    ? null
    : `names ${by}: ${error.message}`;
}

/** Constraints and devices refuse in the name of who asks, whatever it is. */
const refusesInGivenName = ({ name }, args) =>
  (name.endsWith('.refuseRead') && typeof args[1] === 'string') ||
  (/constraints\.\w+\.check$/.test(name) && typeof args[0] === 'string');

process.on('unhandledRejection', () => {});
// Packages that need a group of ranks get one of a single rank.
await init();
const { targets: everything, classes } = await targets();
parentPort.postMessage({ name: 'asking for options' });
const silent = learn(everything, folder);
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
    text ??= refusesInGivenName(target, args) ? null : judged(e);
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
