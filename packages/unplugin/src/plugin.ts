import { dirname } from 'node:path';
import type { TransformOptions } from 'esbuild';
import { getTsconfig } from 'get-tsconfig';
import { createUnplugin, type UnpluginInstance } from 'unplugin';
import { type Lowering, lower, mayNeed } from './lower.js';
import { checkOptions, type Options, type Pattern } from './options.js';

const modules = /\.(?:[cm]?[jt]sx?|vue|svelte|astro)(?:$|\?)/;
/** Parts of a component that are not scripts, and what a bundler makes of an asset. */
const noScript = /[?&](?:type=(?:style|template)|lang\.(?:css|s[ac]ss|less|styl|postcss|pug)|raw|url|inline)\b/;
/** Core itself contains what this plugin makes compilers produce. */
const core = /[\\/](?:@gradgate|packages)[\\/]core[\\/](?:dist|src)[\\/]/;

const name = '@gradgate/unplugin';

/** Bundlers whose own transformers run before this plugin, so that the code has no types any more. */
const comesLast = new Set(['vite', 'rolldown', 'webpack', 'rspack', 'farm']);

function optionsFor(id: string, framework: string): TransformOptions {
  const [file] = id.split('?') as [string];
  const extension = /\.[cm]?([jt]sx?)$/.exec(file)?.[1] ?? 'js';
  const options: TransformOptions = { loader: extension as 'js', sourcefile: file, jsx: 'preserve' };
  if (!extension.startsWith('t')) return options;
  const { compilerOptions } = (!file.startsWith('\0') && getTsconfig(dirname(file))?.config) || {};
  // An import that looks unused in what is left of TypeScript was kept on purpose.
  const kept = comesLast.has(framework) ? { verbatimModuleSyntax: true } : {};
  return { ...options, tsconfigRaw: { compilerOptions: { ...compilerOptions, jsx: 'preserve', ...kept } as object } };
}

const toList = (pattern: Pattern | undefined): (string | RegExp)[] => (pattern === undefined ? [] : [pattern].flat());

export const unplugin: UnpluginInstance<Options | undefined> = createUnplugin((given = {}, { framework }) => {
  checkOptions(name, given);
  const lowering: Lowering = { async: given.async ?? true, decorators: given.decorators ?? true };
  const exclude = toList(given.exclude ?? /[\\/]node_modules[\\/]/);
  return {
    name,
    // After the bundler's own TypeScript transformer, if it has one.
    enforce: 'post',
    transform: {
      filter: { id: { include: toList(given.include ?? modules), exclude: [...exclude, noScript, core] } },
      handler: (code, id) => (mayNeed(code, lowering) ? lower(code, optionsFor(id, framework), lowering) : null),
    },
    vite: {
      // Workers are built with plugins of their own.
      config: () => ({ worker: { plugins: () => [{ ...unplugin.vite(given), config: undefined }].flat() } }),
    },
  };
});
