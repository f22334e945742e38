import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { defineConfig, type Plugin } from 'vite';

const source = (path: string) => fileURLToPath(new URL(`../packages/${path}`, import.meta.url));

/** Vite leaves standard decorators as they are, and browsers do not parse them yet: esbuild lowers them. */
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
 * Links of the page into the docs, `docs:grad-modes`. Where the page lies in a folder of the site of the docs, they are its pages
 * (`GRADGATE_DOCS=../`), else files in the repository.
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
  // Relative addresses, so that the page can lie in any folder of a site.
  base: './',
  plugins: [standardDecorators, docsLinks],
  build: { target: 'es2022' },
  // The packages' sources, so that nothing has to be built first.
  resolve: {
    alias: [
      { find: /^@gradgate\/core\/grad$/, replacement: source('core/src/grad/index.ts') },
      { find: /^@gradgate\/core\/internal$/, replacement: source('core/src/internal.ts') },
      { find: /^@gradgate\/(core|nn)$/, replacement: `${source('')}$1/src/index.ts` },
      { find: /^@gradgate\/webgpu$/, replacement: source('webgpu/src/index.ts') },
    ],
  },
});
