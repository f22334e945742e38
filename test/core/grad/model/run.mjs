/**
 * Runs the model check with many programs:
 *
 *   node test/core/grad/model/run.mjs 100000                      on this Node, and without AsyncLocalStorage
 *   node test/core/grad/model/run.mjs 100000 bun 'deno run -A'    on other runtimes, by the commands that start them
 *
 * SEED=... repeats a run. The packages are taken as built.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [count = '10000', ...commands] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'gradgate-model-'));
const program = join(folder, 'model.mjs');
buildSync({
  entryPoints: [here('main.ts')],
  bundle: true,
  format: 'esm',
  platform: 'node',
  outfile: program,
});
const plain = join(folder, 'plain.mjs');
writeFileSync(plain, `process.getBuiltinModule = undefined;\nawait import('./model.mjs');\n`);

let failed = false;
function run(title, command, file) {
  const [bin, ...args] = command.split(' ');
  const { status, stdout, stderr } = spawnSync(bin, [...args, file, count, process.env.SEED ?? ''], {
    encoding: 'utf8',
  });
  console.log(`${title}: ${status === 0 ? stdout.trim() : `FAILED\n${stdout}${stderr}`.slice(-6000)}`);
  failed ||= status !== 0;
}
for (const command of commands.length > 0 ? commands : [process.execPath]) run(command, command, program);
if (commands.length === 0) run('without AsyncLocalStorage', process.execPath, plain);
rmSync(folder, { recursive: true });
process.exitCode = failed ? 1 : 0;
