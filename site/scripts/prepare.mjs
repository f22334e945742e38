/** Makes what the pages need in `.cache`: the API reference, its JSON for the pages of families, and the playground. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const run = (script, args, cwd, env) =>
  execFileSync(process.execPath, [folder(script), ...args], { cwd, env: { ...process.env, ...env }, stdio: 'inherit' });

const [site, root, playground] = [folder('..'), folder('../..'), folder('../../playground')];
rmSync(folder('../.cache/public'), { recursive: true, force: true });
// Typedoc reads each package's types from the dist of the others.
run('../../node_modules/typescript/bin/tsc', ['-b'], root);
run('../node_modules/typedoc/bin/typedoc', ['--logLevel', 'Warn'], site);
run(
  '../../node_modules/vite/bin/vite.js',
  ['build', '--outDir', folder('../.cache/public/playground'), '--emptyOutDir', '--logLevel', 'warn'],
  playground,
  {
    // The playground's links to the docs point to the site's pages.
    GRADGATE_DOCS: '../',
  },
);
