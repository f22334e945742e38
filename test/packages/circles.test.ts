import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const packages = fileURLToPath(new URL('../../packages', import.meta.url));

/** The modules that a module imports when it runs, not for types alone. */
function imports(file: string): string[] {
  const found: string[] = [];
  for (const [, names, from] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)\b((?:[^;']*?) from )?\s*'(\.[^']+)'/gm,
  )) {
    const list = /^\s*\{([\s\S]*)\} from $/.exec(names ?? '')?.[1];
    const types = list?.split(',').filter((name) => name.trim() !== '');
    if (/^\s*type\s/.test(names ?? '') || types?.every((name) => /^\s*type\s/.test(name))) continue;
    found.push(resolve(dirname(file), from!.replace(/\.js$/, '.ts')));
  }
  return found;
}

/** The first circle of imports from `file` on, as the files on it. */
function circle(file: string, path: readonly string[], done: Set<string>): string[] | null {
  if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
  if (done.has(file)) return null;
  for (const next of imports(file)) {
    const found = circle(next, [...path, file], done);
    if (found !== null) return found;
  }
  done.add(file);
  return null;
}

describe('no module imports itself by way of others when it runs', () => {
  it.each(readdirSync(packages))('%s', (name) => {
    const src = join(packages, name, 'src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const done = new Set<string>();
    for (const file of files)
      expect(circle(join(src, file), [], done)?.map((on) => relative(src, on)) ?? null).toBe(null);
    expect(done.size).toBeGreaterThan(1);
  });
});
