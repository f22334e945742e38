import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { needGpu } from './gpu.js';

const gpu = await needGpu('the programs of docs/webgpu.md and of the README of webgpu');

const root = fileURLToPath(new URL('../..', import.meta.url));
// Inside the workspace, so that packages are found by name, as a consumer finds them.
const folder = mkdtempSync(join(root, 'node_modules', '.docs-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The ```ts blocks of a page as one program: each goes on from the one before. */
const programOf = (page: string): string =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code).join('\n');

describe.skipIf(!gpu)('programs', () => {
  it.each(['docs/webgpu.md', 'packages/webgpu/README.md'])('of %s run', (page) => {
    const file = join(folder, `${page.replaceAll(/\W/g, '-')}.mjs`);
    writeFileSync(file, transformSync(programOf(page), { loader: 'ts', target: 'es2022', format: 'esm' }).code);
    const { status, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8', timeout: 100_000 });
    // A console.assert that does not hold writes there.
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
