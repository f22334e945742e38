import { readFileSync } from 'node:fs';

/** The pages of `docs` under their headings, in the order of `docs/README.md`: the sidebar of each page of the guides. */
export function guides() {
  const list = readFileSync(new URL('../docs/README.md', import.meta.url), 'utf8');
  return list
    .split(/^## /m)
    .slice(1)
    .map((part) => ({
      text: part.slice(0, part.indexOf('\n')),
      items: [...part.matchAll(/^\* \[(.+?)\]\(([\w/-]+)\.md\)/gm)].map(([, text, page]) => ({
        text,
        link: `/${page}`,
      })),
    }));
}

/** The packages whose API is documented, as `typedoc.json` lists them: the sidebar of the API's pages. */
export function packages() {
  const { entryPoints } = JSON.parse(readFileSync(new URL('./typedoc.json', import.meta.url), 'utf8'));
  return [
    {
      text: 'API by families',
      items: entryPoints.map((path) => {
        const name = path.replace('../packages/', '');
        return { text: name === 'gradgate' ? name : `@gradgate/${name}`, link: `/api/${name}` };
      }),
    },
  ];
}
