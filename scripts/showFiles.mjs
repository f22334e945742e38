/**
 * Blocks of the docs that show a whole file name it: ```ts file=examples/src/programs/gan.ts. This program fills them in: node
 * scripts/showFiles.mjs docs/recipes/*.md. A test compares them with the files.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** The page with such blocks replaced by the files' current contents. */
export const withFiles = (markdown) =>
  markdown.replaceAll(
    /^(```\w+ file=(\S+)\n).*?^```$/gms,
    (_, start, path) => `${start}${read(path).trimEnd()}\n\`\`\``,
  );

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const page of process.argv.slice(2)) writeFileSync(page, withFiles(readFileSync(page, 'utf8')));
