import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, 'packages/unplugin/package.json'), 'utf8')) as {
  exports: Record<string, unknown>;
};
const bundlers = Object.keys(exports).flatMap((entry) => /^\.\/(\w+)$/.exec(entry)?.[1] ?? []);

/** What a program of CommonJS prints, by Node itself: Vitest has a loader of its own. */
function run(program: string): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' });
  expect(stderr.replace(/^\(node.*\n?/gm, '')).toBe('');
  return JSON.parse(stdout);
}

it('a configuration of CommonJS gets the plugin itself, or its default, by require', () => {
  expect(bundlers.sort()).toEqual(['esbuild', 'farm', 'rolldown', 'rollup', 'rspack', 'vite', 'webpack']);
  const found = run(`
    const all = require('@gradgate/unplugin');
    const kinds = ${JSON.stringify(bundlers)}.map((bundler) => {
      const plugin = require('@gradgate/unplugin/' + bundler);
      return [typeof plugin(), plugin.default === plugin, typeof require('@gradgate/unplugin/' + bundler).default({ async: false }), typeof all[bundler]()];
    });
    console.log(JSON.stringify([all.default === all, ...kinds]));`);
  expect(found).toEqual([true, ...bundlers.map(() => ['object', true, 'object', 'object'])]);
});

it('so does a configuration of ESLint', () => {
  expect(
    run(`
      const gradgate = require('@gradgate/eslint-plugin');
      console.log(JSON.stringify([Object.keys(gradgate.rules).length, gradgate.configs.recommended.name, gradgate.default === gradgate]));`),
  ).toEqual([5, '@gradgate/recommended', true]);
});
