import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Site, serve } from '../browser/site.js';
import { needChromium } from '../needs.js';

const executable = needChromium('webgpu in a page');

/** Chromium with the GPU that it computes on the CPU. */
const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: executable!,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  });

describe.skipIf(!executable)('in a page of Chromium', () => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    site = await serve(new URL('../browser/webgpu/', import.meta.url));
    browser = await launch();
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

describe.skipIf(!executable)('the playground', () => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    site = await serve(new URL('../../playground/', import.meta.url));
    browser = await launch();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  /** The page, still, and what it says on the console. */
  async function open(prepare: (page: Page) => Promise<unknown> = async () => {}) {
    const page = await browser.newPage({ reducedMotion: 'reduce' });
    const said: string[] = [];
    page.on('pageerror', (error) => said.push(error.message));
    await prepare(page);
    await page.goto(site.url);
    const note = page.locator('#device-note');
    /** The loss after some steps from the start. */
    const train = async (steps: number) => {
      await page.getByRole('button', { name: 'Reset', exact: true }).click();
      await page.waitForFunction(() => document.getElementById('step')!.textContent === '0');
      for (let i = 1; i <= steps; i++) {
        await page.getByRole('button', { name: 'Step', exact: true }).click();
        await page.waitForFunction((n) => document.getElementById('step')!.textContent === String(n), i);
      }
      return Number(await page.locator('#loss').innerText());
    };
    return { page, said, note, train };
  }

  it('trains on the CPU or on the GPU, as chosen, to the same losses', async () => {
    const { page, said, note, train } = await open();
    const want = await train(5);
    await page.getByLabel('Device').selectOption('webgpu');
    await note.filter({ hasText: 'On the GPU' }).waitFor();
    expect(Math.abs((await train(5)) - want)).toBeLessThan(2e-4);
    // The surface was drawn, with arrows, and points on it.
    expect(await page.locator('#accuracy').innerText()).toMatch(/^\d+%$/);
    await page.getByLabel('Device').selectOption('cpu');
    await note.filter({ hasNotText: 'On the GPU' }).waitFor({ state: 'attached' });
    expect(await train(5)).toBe(want);
    expect(said).toEqual([]);
  });

  it('says what is missing where there is no WebGPU, and stays on the CPU', async () => {
    const { page, said, note, train } = await open((page) =>
      page.addInitScript(() => Object.defineProperty(navigator, 'gpu', { value: undefined })),
    );
    await page.getByLabel('Device').selectOption('webgpu');
    await note.filter({ hasText: 'this browser has no WebGPU' }).waitFor();
    expect(await page.getByLabel('Device').inputValue()).toBe('cpu');
    expect(await train(2)).toBeGreaterThan(0);
    expect(said).toEqual([]);
  });
});
