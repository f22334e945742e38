import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const packages = fileURLToPath(new URL('../../packages/', import.meta.url));
const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.ts') && !f.endsWith('.d.ts'))
    .map((f) => join(folder, f));

const declaration = /^export (?:default )?(?:abstract )?(?:async )?(class|function)\*? (\w+)/;

/** Exported classes and functions without a comment for editors right above them; overloads share one. */
function undocumented(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  let last = '';
  return lines.flatMap((line, i) => {
    const found = declaration.exec(line);
    if (found === null) return [];
    const name = found[2]!;
    const again = name === last;
    last = name;
    let above = i - 1;
    // Decorators and notes to the linter may stand in between.
    while (/^(@|\/\/ biome-ignore)/.test(lines[above] ?? '')) above--;
    return again || (lines[above] ?? '').trimEnd().endsWith('*/') ? [] : [name];
  });
}

describe('every exported class and function has a docstring, which editors show', () => {
  it.each(['nn/src', 'gradgate/src', 'openblas/src'])('%s', (folder) => {
    const files = sources(join(packages, folder));
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap((f) => undocumented(f).map((name) => `${f.slice(packages.length)}: ${name}`))).toEqual([]);
  });

  it('the check sees one that is missing', () => {
    expect(declaration.exec('export class ReLU extends layerOf(relu) {}')?.[2]).toBe('ReLU');
    expect(declaration.exec('export async function load(path: string) {')?.[2]).toBe('load');
  });
});
