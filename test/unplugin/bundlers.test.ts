import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { bundlers, makeProject } from './bundlers.js';

const folder = mkdtempSync(join(tmpdir(), 'gradgate-unplugin-'));
afterAll(() => rmSync(folder, { recursive: true }));
const hideHooks = fileURLToPath(new URL('./hideHooks.mjs', import.meta.url));

describe.each(Object.keys(bundlers))('%s', (name) => {
  const { language, build } = bundlers[name]!;
  it('makes a program whose async functions are covered where nothing follows promises', async () => {
    makeProject(join(folder, name), language);
    const file = await build(join(folder, name));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', hideHooks, file], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({});
  });
});
