/** Fails if a link or an image of a built page points to a file or a heading that the site does not have. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = new URL('../dist/', import.meta.url);
const own = readdirSync(fileURLToPath(dist), { recursive: true }).filter(
  // Typedoc and Vite check their own pages.
  (file) => file.endsWith('.html') && !/^(reference|playground)\//.test(file),
);

/** The file of an address: for a folder its index, for a path without an extension the page of that name. */
function fileOf({ pathname }) {
  const path = decodeURIComponent(pathname);
  if (path.endsWith('/')) return `${path}index.html`;
  return /\.\w+$/.test(path) ? path : `${path}.html`;
}

const pages = new Map(own.map((file) => [`/${file}`, readFileSync(new URL(file, dist), 'utf8')]));
const dead = new Set();
let count = 0;
for (const [page, html] of pages) {
  for (const [, link] of html.matchAll(/(?:href|src)="([^"]+)"/g)) {
    const url = new URL(link.replaceAll('&amp;', '&'), `https://site${page}`);
    if (url.host !== 'site') continue;
    count++;
    const [file, id] = [fileOf(url), decodeURIComponent(url.hash.slice(1))];
    if (!existsSync(new URL(`.${encodeURI(file)}`, dist))) dead.add(`${page}: ${link} leads to no page`);
    else if (id && pages.has(file) && !pages.get(file).includes(` id="${id}"`))
      dead.add(`${page}: ${link} leads to no heading`);
  }
}
if (count === 0 || dead.size > 0) {
  console.error([`${dead.size} dead links of ${count}`, ...dead].join('\n'));
  process.exit(1);
}
console.log(`${pages.size} pages, ${count} links, none dead`);
