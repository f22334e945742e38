import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import gradgate from '@gradgate/unplugin/vite';
import { build, createServer, type InlineConfig, preview } from 'vite';
import { afterAll, describe, expect, it } from 'vitest';
import { launch } from '../browser/chromium.js';
import { needChromium } from '../needs.js';

const executable = needChromium('lowered async functions in a browser');
const outDir = mkdtempSync(join(tmpdir(), 'gradgate-lowered-'));
afterAll(() => rmSync(outDir, { recursive: true }));

const common: InlineConfig = {
  root: fileURLToPath(new URL('./program', import.meta.url)),
  configFile: false,
  logLevel: 'error',
  cacheDir: join(outDir, 'cache'),
  plugins: [gradgate()],
  build: { outDir: join(outDir, 'site'), target: 'es2022' },
  worker: { format: 'es' },
};
const local = { host: '127.0.0.1', port: 0 };

/** What failed in the page at an address, and in its worker. */
async function results(url: string): Promise<unknown> {
  const browser = await launch(executable!);
  try {
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    await page.goto(url);
    // Vite's server may load the page again once it knows the packages.
    await page
      .waitForFunction(() => 'inWorker' in window, null, { timeout: 60_000 })
      .catch((e) => said.push(String(e)));
    const found = await page.evaluate(async () => ({ page: await window.inPage, worker: await window.inWorker }));
    return { ...found, said: said.filter((line) => !line.includes('[vite]')) };
  } finally {
    await browser.close();
  }
}

describe.skipIf(!executable)('a page and its module worker, in Chromium', () => {
  it('have their async functions covered in a build by Vite', async () => {
    await build(common);
    const server = await preview({ ...common, preview: local });
    const found = await results(server.resolvedUrls!.local[0]!).finally(() => server.close());
    expect(found).toEqual({ page: {}, worker: {}, said: [] });
  });

  it("have them covered by Vite's server as well", async () => {
    const server = await (await createServer({ ...common, server: local })).listen();
    const found = await results(server.resolvedUrls!.local[0]!).finally(() => server.close());
    expect(found).toEqual({ page: {}, worker: {}, said: [] });
  });
});
