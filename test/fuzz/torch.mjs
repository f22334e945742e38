// Compares many random programs with PyTorch: node test/fuzz/torch.mjs --cases 20000 --seed 1 --python /usr/bin/python3.
// With --layers: programs of layers, windows, special functions, matrices and distributions. With --writes: programs of
// statements, which make views, write in place and set hooks; these are run under tidy and compiled, too.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    python: { type: 'string', default: 'python3' },
    layers: { type: 'boolean', default: false },
    writes: { type: 'boolean', default: false },
  },
});
console.log(`seed ${values.seed}`);
const env = {
  ...process.env,
  FUZZ_CASES: values.cases,
  FUZZ_SEED: values.seed,
  FUZZ_PYTHON: values.python,
  FUZZ_OF: values.layers ? 'layers' : values.writes ? 'writes' : 'cases',
};
process.exit(spawnSync('npx', ['vitest', 'run', 'test/fuzz/torch.test.ts'], { env, stdio: 'inherit' }).status ?? 1);
