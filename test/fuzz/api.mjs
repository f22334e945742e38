// Calls everything that the packages export with random arguments (right, nearly right and wrong ones) and checks the
// outcome: a result, or an error of the project's own that names who refuses. V8's own errors ("Cannot read properties of
// undefined"), ignored options and calls that never return are faults.
//
//   npm run fuzz:api -- --calls 200000 --seed 7      many calls of the built packages
//   npm run fuzz:api -- --seed 7 --only 1234         one call again, with its arguments and stack
//   npm run fuzz:api -- --examples                  the examples of docstrings, each with something in it changed
//   npm run fuzz:api -- --objects                   calls in a row on one object, which a refused call must not change
//   npm run fuzz:api -- --match 'nn.optim'           only names that contain this
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCalls } from './apiRun.mjs';
import { examples, folders } from './examples.mjs';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '3000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    match: { type: 'string', default: '' },
    deadline: { type: 'string', default: '30000' },
    show: { type: 'string', default: '40' },
    examples: { type: 'boolean', default: false },
    objects: { type: 'boolean', default: false },
  },
});
const only = values.only === undefined ? undefined : Number(values.only);
const programs = values.examples
  ? { worker: './exampleWorker.mjs', examples: examples(folders) }
  : values.objects
    ? { worker: './objectWorker.mjs' }
    : {};
if (values.examples) process.chdir(mkdtempSync(join(tmpdir(), 'gradgate-fuzz-')));
const start = Date.now();
const { results, refusals, faults, kinds } = await runCalls({
  calls: Number(values.calls),
  seed: values.seed,
  match: values.match,
  only,
  deadline: Number(values.deadline),
  ...programs,
});
const sorted = [...kinds].sort((a, b) => b[1].count - a[1].count);
for (const [key, { count, call, message }] of sorted.slice(0, Number(values.show)))
  console.log(`${count} times, first in call ${call}: ${only === undefined ? key : message}`);
if (sorted.length > Number(values.show)) console.log(`and ${sorted.length - Number(values.show)} more kinds`);
console.log(
  `${only === undefined ? values.calls : 1} calls of seed ${values.seed} in ${Math.round((Date.now() - start) / 1000)} s: ` +
    `${results} results, ${refusals} refusals, ${faults} faults of ${sorted.length} kinds`,
);
process.exit(sorted.length > 0 ? 1 : 0);
