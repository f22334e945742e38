import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = [
  'README.md',
  'site/pages/index.md',
  ...readdirSync(join(root, 'docs'), { encoding: 'utf8', recursive: true })
    // Its programs need a GPU: `test/webgpu/docs.test.ts` runs them.
    .filter((f) => f.endsWith('.md') && f !== 'webgpu.md')
    .map((f) => join('docs', f)),
];

/** The ```ts blocks of a page. A block that goes on from the one before starts with `// (continued)`. */
function programs(markdown: string): string[] {
  const found: string[] = [];
  for (const [, code] of markdown.matchAll(/^```ts\n(.*?)^```$/gms)) {
    if (code!.startsWith('// (continued)')) found.push(`${found.pop() ?? ''}\n${code}`);
    else found.push(code!);
  }
  return found;
}

// Inside the workspace, so that packages are found by name, as a consumer finds them.
const folder = mkdtempSync(join(root, 'node_modules', '.docs-'));
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(pages)('%s', (page) => {
  const blocks = programs(readFileSync(join(root, page), 'utf8'));
  if (blocks.length === 0) it('has no code', () => expect(blocks).toEqual([]));
  it.each(blocks.map((code, i) => [i + 1, code] as const))('program %i runs', (i, code) => {
    const file = join(folder, `${page.replaceAll(/\W/g, '-')}-${i}.mjs`);
    writeFileSync(file, transformSync(code, { loader: 'ts', target: 'es2022', format: 'esm' }).code);
    const { status, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
    // A console.assert that does not hold writes there.
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
