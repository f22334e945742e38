// Compares many random steps with the same compiled: node test/fuzz/compile.mjs --programs 5000 --seed 1.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    programs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
});
console.log(`seed ${values.seed}`);
const env = { ...process.env, FUZZ_PROGRAMS: values.programs, FUZZ_SEED: values.seed };
process.exit(spawnSync('npx', ['vitest', 'run', 'test/fuzz/compile.test.ts'], { env, stdio: 'inherit' }).status ?? 1);
