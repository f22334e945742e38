import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type InlineConfig, preview } from 'vite';
import { afterAll, describe, expect, it } from 'vitest';
import { launch } from '../browser/chromium.js';
import { needChromium } from '../needs.js';

const executable = needChromium('training in a worker of a browser');
const outDir = mkdtempSync(join(tmpdir(), 'gradgate-worker-'));
afterAll(() => rmSync(outDir, { recursive: true }));

describe.skipIf(!executable)('the example that trains in a worker, in Chromium', () => {
  it('tells the page of each epoch, is stopped where the page says so, and hands it weights that predict', async () => {
    const site: InlineConfig = {
      root: fileURLToPath(new URL('../../examples/worker', import.meta.url)),
      logLevel: 'error',
      build: { outDir, emptyOutDir: true },
      preview: { host: '127.0.0.1', port: 0 },
    };
    await build(site);
    const server = await preview(site);
    const browser = await launch(executable!);
    try {
      const page = await browser.newPage();
      const said: string[] = [];
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(error.message));
      const url = server.resolvedUrls!.local[0]!;
      await page.goto(url);
      await page.click('#stop');
      await page.click('#predict:enabled', { timeout: 60_000 });
      expect(await page.textContent('#loss')).not.toContain('epoch 40');
      expect(await page.textContent('#answer')).toMatch(/^-?\d/);
      await page.goto(url);
      await page.click('#predict:enabled', { timeout: 60_000 });
      expect(Number(await page.textContent('#answer'))).toBeCloseTo(2 * 3 + 1, 1);
      expect(await page.textContent('#loss')).toMatch(/^epoch 40, loss 0\.00/);
      expect(said).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
