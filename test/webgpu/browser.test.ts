import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Site, serve } from '../browser/site.js';
import { needChromium } from '../needs.js';

const executable = needChromium('webgpu in a page');

describe.skipIf(!executable)('in a page of Chromium', () => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    site = await serve(new URL('../browser/webgpu/', import.meta.url));
    browser = await chromium.launch({
      executablePath: executable!,
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it('a network trains on the GPU as on the host', async () => {
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('pageerror', (error) => said.push(error.message));
    await page.goto(site.url);
    const want = await page.evaluate(() => window.train('cpu', 15));
    const got = await page.evaluate(() => window.train('webgpu', 15));
    got.forEach(
      (v, i) => void expect(Math.abs(v - want[i]!), `step ${i}: ${v}, on the host ${want[i]}`).toBeLessThan(1e-4),
    );
    expect(got.at(-1)!).toBeLessThan(got[0]! * 0.9);
    expect(said).toEqual([]);
  });
});
