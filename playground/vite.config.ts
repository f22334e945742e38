import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { type Alias, defineConfig, type Plugin } from 'vite';

/**
 * All entry points of a package, each mapped to its source. If one were missing, the built package would be loaded as a second
 * copy.
 */
function entries(name: string): Alias[] {
  const folder = new URL(`../packages/${name}/`, import.meta.url);
  const { exports } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
  return Object.entries<{ default?: string }>(exports).flatMap(([path, { default: built }]) => {
    const source = built?.replace(/^\.\/dist\/(.*)\.js$/, './src/$1.ts');
    if (source === undefined || source === built) return [];
    return {
      find: new RegExp(`^@gradgate/${name}${path.slice(1)}$`),
      replacement: fileURLToPath(new URL(source, folder)),
    };
  });
}

/** Vite does not lower standard decorators, and browsers cannot parse them yet, so esbuild lowers them. */
const standardDecorators: Plugin = {
  name: 'standard-decorators',
  enforce: 'pre',
  async transform(code, id) {
    if (!/\.ts$/.test(id) || !/^\s*(@[\w.]+|using )|[;{]\s*@\w+/m.test(code)) return;
    const { code: js, map } = await transform(code, {
      loader: 'ts',
      target: 'es2022',
      sourcemap: true,
      sourcefile: id,
      tsconfigRaw: {},
    });
    return { code: js, map };
  },
};

/**
 * The page links to the docs as `docs:grad-modes`. If the page is in a folder of the docs' site (`GRADGATE_DOCS=../`), that is
 * a page of the site, else a file in the repository.
 */
const docsLinks: Plugin = {
  name: 'docs-links',
  transformIndexHtml(html) {
    const site = process.env['GRADGATE_DOCS'];
    return html.replace(/"docs:([\w-]+)(#[\w-]+)?"/g, (_, page: string, part = '') =>
      site ? `"${site}${page}.html${part}"` : `"https://github.com/gradgate/gradgate/blob/main/docs/${page}.md${part}"`,
    );
  },
};

export default defineConfig({
  // Relative addresses, so that the page works in any folder of a site.
  base: './',
  plugins: [standardDecorators, docsLinks],
  build: { target: 'es2022' },
  // The packages' sources, so that nothing has to be built first.
  resolve: {
    alias: ['core', 'nn', 'webgpu'].flatMap(entries),
  },
});
