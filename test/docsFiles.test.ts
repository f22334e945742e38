import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withFiles } from '../scripts/showFiles.mjs';

const folder = new URL('../docs/recipes/', import.meta.url);

it.each(readdirSync(folder))('the files that %s shows are as they are in the repository', (page) => {
  const text = readFileSync(new URL(page, folder), 'utf8');
  expect(text, `node scripts/showFiles.mjs docs/recipes/${page} writes them anew`).toBe(withFiles(text));
});
