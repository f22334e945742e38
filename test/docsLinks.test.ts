import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { slug } from 'github-slugger';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const docs = readdirSync(join(root, 'docs'), { encoding: 'utf8', recursive: true }).filter((file) =>
  file.endsWith('.md'),
);
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs.map((file) => `docs/${file}`)];

const withoutCode = (markdown: string) => markdown.replaceAll(/^```.*?^```$/gms, '');

/** The addresses of a page's headings, as GitHub and the site give them; of two with the same text the second ends in 1. */
function headings(markdown: string): string[] {
  const slugs = [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
    slug(text!.replaceAll(/\[(.*?)\]\(.*?\)/g, '$1')),
  );
  return slugs.map((each, i) => {
    const before = slugs.slice(0, i).filter((other) => other === each).length;
    return before === 0 ? each : `${each}-${before}`;
  });
}

describe.each(pages)('%s', (page) => {
  const text = withoutCode(read(page)).replaceAll(/`[^`\n]*`/g, '');
  const links = [...text.matchAll(/\]\((?!https?:)([^)\s]*)\)/g)].map(([, link]) => link!);

  it('links to files and headings that are there', () => {
    const dead = links.filter((link) => {
      const [path, anchor] = link.split('#') as [string, string?];
      const file = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !headings(read(file)).includes(anchor);
    });
    expect(dead).toEqual([]);
  });
});

it('docs/README.md lists every other page once, with a line on what is in it', () => {
  const listed = [...read('docs/README.md').matchAll(/^\* \[.+?\]\(([\w/-]+\.md)\): .+$/gm)].map(([, file]) => file);
  expect(listed.sort()).toEqual(docs.filter((file) => file !== 'README.md').sort());
});
