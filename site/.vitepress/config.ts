import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import { guides, packages } from '../sidebar.mjs';

const repository = 'https://github.com/gradgate/gradgate';

export default defineConfig({
  title: 'gradgate',
  description: 'Gradient control for TypeScript: tensors with autograd, and grad modes that follow the flow.',
  // The guides are read from docs, the other pages from site/pages.
  srcDir: '..',
  srcExclude: ['{bench,examples,packages,playground,test}/**', '{README,CONTRIBUTING}.md'],
  rewrites: {
    'docs/README.md': 'guides.md',
    'docs/:page': ':page',
    'docs/recipes/:page': 'recipes/:page',
    'site/pages/:page': ':page',
    'site/pages/api/:page': 'api/:page',
    'CHANGELOG.md': 'changelog.md',
  },
  outDir: './dist',
  cacheDir: './.cache/vitepress',
  // The API reference and the playground, made by scripts/prepare.mjs; scripts/checkLinks.mjs checks the links to them.
  vite: { publicDir: new URL('../.cache/public', import.meta.url).pathname, build: { target: 'es2022' } },
  ignoreDeadLinks: [/^\/(playground|reference)\//],
  head: [
    [
      'link',
      {
        rel: 'icon',
        href: "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%230d9488'/%3E%3Crect x='7' y='3' width='2' height='10' fill='white'/%3E%3C/svg%3E",
      },
    ],
  ],
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    // Headings have the same anchors as on GitHub, where the same pages are read.
    anchor: { slugify: slug },
    config(md) {
      // A heading without text is none: the corner of a table.
      md.core.ruler.push('empty-headings', ({ tokens }) => {
        tokens.forEach((token, i) => {
          if (token.type !== 'th_open' || tokens[i + 1]!.content !== '') return;
          token.tag = 'td';
          tokens[i + 2]!.tag = 'td';
        });
      });
      const { link_open: open } = md.renderer.rules;
      md.renderer.rules.link_open = (tokens, i, options, env, self) => {
        const link = tokens[i]!;
        // Links to files outside docs go to the repository.
        const beside = env.relativePath?.startsWith('recipes/') ? '../../' : '../';
        const href = link.attrGet('href')!;
        if (href.startsWith(beside)) link.attrSet('href', `${repository}/tree/main/${href.slice(beside.length)}`);
        return open!(tokens, i, options, env, self);
      };
    },
  },
  themeConfig: {
    nav: [
      { text: 'Guides', link: '/guides' },
      { text: 'Recipes', link: '/recipes' },
      { text: 'API', link: '/api/core', activeMatch: '^/api/' },
      { text: 'Playground', link: '/playground/', target: '_self' },
      { text: 'Changelog', link: '/changelog' },
    ],
    sidebar: { '/api/': packages(), '/': guides() },
    socialLinks: [{ icon: 'github', link: repository }],
    search: {
      provider: 'local',
      // The changelog has every word, and would come before the pages that explain it.
      options: { _render: (text, env, md) => (env.relativePath === 'changelog.md' ? '' : md.render(text, env)) },
    },
    outline: [2, 3],
    editLink: { pattern: `${repository}/edit/main/:path` },
  },
});
