import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** The rows of all tables of a page, each as its cells by the names of their columns. */
function rows(page: string): Record<string, string>[] {
  const text = readFileSync(new URL(`../docs/${page}.md`, import.meta.url), 'utf8');
  return text.split(/\n\n|<!--.*-->\n/).flatMap((part) => {
    const cells = part
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const [names, , ...others] = cells;
    return others.map((row) => Object.fromEntries(row.map((cell, i) => [names![i]!, cell])));
  });
}

it.each(['microseconds', 'import of'])('the figures of the comparison in %s are those that were measured', (kind) => {
  const titled = (page: string) => rows(page).filter((row) => Object.keys(row)[0]!.startsWith(kind));
  const measured = titled('performance');
  const shown = titled('comparison');
  expect(shown.length).toBeGreaterThan(4);
  for (const row of shown) expect(measured).toContainEqual(expect.objectContaining(row));
});
