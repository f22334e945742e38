import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { needChromium } from '../needs.js';
import { checks } from './checks/index.js';
import { launch } from './chromium.js';
import { isolation, type Site, serve } from './site.js';

const executable = needChromium('pages in a browser');

/** Other tests may be using all cores. */
const startTimeout = 60_000;

let browser: Browser;
beforeAll(async () => {
  if (executable) browser = await launch(executable);
}, startTimeout);
afterAll(() => browser?.close());

/** A page of the site in `folder`, new for each test, which fails if anything is said on the console. */
function eachWithPage(
  folder: string,
  headers: Record<string, string> = {},
  options: BrowserContextOptions = {},
  expected = /^$/,
): () => Page {
  let site: Site;
  let page: Page;
  let said: string[];
  beforeAll(async () => {
    site = await serve(new URL(folder, import.meta.url), headers);
  }, startTimeout);
  afterAll(() => site?.close());
  beforeEach(async () => {
    said = [];
    page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
    page.on('console', (message) => {
      if (!expected.test(message.text())) said.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => said.push(`uncaught: ${error.message}`));
    await page.goto(site.url);
  }, startTimeout);
  afterEach(async () => {
    await page?.close();
    expect(said).toEqual([]);
  });
  return () => page;
}

describe.skipIf(!executable)('core and nn', () => {
  const page = eachWithPage('./checks/');
  it.each(Object.keys(checks))('%s', (name) => page().evaluate((name) => window.checks[name]!(), name));
});

describe.skipIf(!executable)('core and nn in a page that is cross-origin isolated', () => {
  const page = eachWithPage('./checks/', isolation);
  it('have threads', async () => {
    expect(await page().evaluate(() => crossOriginIsolated)).toBe(true);
    await page().evaluate(() => window.checks['threads']!());
    expect(page().workers()).toHaveLength(1);
  });
});

describe.skipIf(!executable)('core and nn in a page whose policy refuses WebAssembly', () => {
  const policy = { 'Content-Security-Policy': "script-src 'self'; worker-src 'self'" };
  // The browser tells of what it refuses.
  const page = eachWithPage('./checks/', policy, {}, /violates the following Content Security Policy/);
  it('compute by the plain loops of the host', async () => {
    const compiles = await page().evaluate(() => {
      try {
        return new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) !== null;
      } catch (error) {
        return String(error);
      }
    });
    expect(compiles).toContain('Content Security Policy');
  });
  // All but those that are about the kernels themselves.
  it.each(Object.keys(checks).filter((name) => !/threads|InWasm|InKernelMemory/.test(name)))('%s', (name) =>
    page().evaluate((name) => window.checks[name]!(), name),
  );
});

/** The lines of code that are lit. */
const lit = '#timeline .live';

describe.skipIf(!executable)('playground', () => {
  const page = eachWithPage('../../playground/');
  const step = async () => Number(await page().locator('#step').innerText());
  const reach = (count: number) =>
    page().waitForFunction((n) => Number(document.getElementById('step')!.textContent) >= n, count, {
      timeout: 60_000,
    });

  it('starts by itself, and lights the line of each call in the color of its mode', async () => {
    await reach(20);
    const seen = new Map<string, string>();
    const lines: Record<string, string> = {
      step: 'const output = this.net(points);',
      forward: 'return this.head(this.features(points));',
      features: 'return this.second(this.first(points).tanh()).tanh();',
      surface: 'return { output: this.forward(grid), slopes: this.slope(feet) };',
      slope: 'return switches.arrows ? slopeOf(this, points) : null;',
    };
    while (seen.size < 5) {
      // Read in one turn of the page, which goes on meanwhile.
      const { now, line, mode, bar } = await page().evaluate((lit) => {
        const live = [...document.querySelectorAll(lit)];
        return {
          now: document.getElementById('now')!.textContent!,
          line: live.map((l) => l.textContent!.trim()).join('; '),
          mode: live.map((l) => (l.classList.contains('without') ? 'off' : 'on')).join(),
          bar: document.querySelector('#timeline .call.lit title')?.textContent,
        };
      }, lit);
      const [, method, told] = /^call \d+, (\w+): gradients (on|off)/.exec(now)!;
      expect(line).toBe(lines[method!]);
      expect(mode).toBe(told);
      expect(bar).toBe(now);
      seen.set(method!, told!);
      await page().waitForTimeout(100);
    }
    expect(seen.get('step')).toBe('on');
    expect(seen.get('surface')).toBe('off');
    await page().getByRole('button', { name: 'Pause', exact: true }).click();
    const at = await step();
    await page().waitForTimeout(100);
    expect(await step()).toBe(at);
  });

  it('goes on by itself when serving has ended', async () => {
    await reach(5);
    await page().getByRole('checkbox', { name: 'serving' }).check();
    const alert = page().getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toMatch(/^AutogradError: backward: .* switched off by noGrad on forward/);
    const at = await step();
    await page().waitForTimeout(100);
    expect(await step()).toBe(at);
    await page().getByRole('checkbox', { name: 'serving' }).uncheck();
    await reach(at + 5);
    expect(await alert.isVisible()).toBe(false);
  });

  it('trains and serves at once: no mode of evaluating is wrong, those of eval() and train() are', async () => {
    const counts = async (id: string) =>
      /^(\d+) of (\d+) steps without dropout, (\d+) of (\d+) answers with it$/
        .exec(await page().locator(`#${id}-words`).innerText())!
        .slice(1)
        .map(Number);
    await page().waitForFunction(() => document.querySelectorAll('#gated-picture rect').length >= 40, null, {
      timeout: 60_000,
    });
    const [, steps, , answers] = await counts('gated');
    expect(steps).toBeGreaterThan(10);
    expect(answers).toBeGreaterThan(10);
    expect(await counts('gated')).toEqual([0, expect.any(Number), 0, expect.any(Number)]);
    const [wrongSteps, , wrongAnswers] = await counts('switched');
    expect(wrongSteps).toBeGreaterThan(0);
    expect(wrongAnswers).toBeGreaterThan(0);
    await page().getByRole('button', { name: 'Pause both' }).click();
    await page().waitForTimeout(400);
    const ended = await counts('gated');
    await page().waitForTimeout(300);
    expect(await counts('gated')).toEqual(ended);
  });

  it('links into the docs, to pages and headings that are there', async () => {
    const links = await page()
      .locator('a')
      .evaluateAll((all) => all.map((a) => a.getAttribute('href')!));
    expect(links.length).toBeGreaterThan(4);
    for (const link of links) {
      const [, file, heading] = /\/(docs\/[\w-]+\.md)(?:#(.*))?$/.exec(link)!;
      const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
      expect(existsSync(path), link).toBe(true);
      const headings = readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm);
      const anchors = [...headings].map((h) =>
        h[1]!
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      if (heading) expect(anchors).toContain(heading);
    }
  });
});

describe.skipIf(!executable).each(['light', 'dark'] as const)('playground, %s', (colorScheme) => {
  describe.each([
    ['on a desk', { viewport: { width: 1280, height: 900 } }],
    ['on a phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ])('%s', (place, options) => {
    const page = eachWithPage('../../playground/', {}, { ...options, colorScheme, reducedMotion: 'reduce' });

    it('fits, can be read by everyone, and has its conditions near the top', async () => {
      await page().getByRole('checkbox', { name: 'serving' }).check();
      await page().getByRole('button', { name: 'Step', exact: true }).click();
      await page().getByRole('alert').waitFor();
      await page().getByRole('button', { name: 'Draw one for me' }).click();
      await page().getByRole('button', { name: '@noGrad async score()' }).click();
      await page().evaluate(axe.source);
      const violations = await page().evaluate(async () => {
        const { violations } = await (window as any).axe.run();
        return violations.map((v: any) => `${v.id}: ${v.nodes.map((n: any) => n.html).join(' ')}`);
      });
      expect(violations).toEqual([]);
      const { width, top } = await page().evaluate(() => ({
        width: document.documentElement.scrollWidth,
        top: document.querySelector('.switches')!.getBoundingClientRect().top + scrollY,
      }));
      expect(width).toBe(options.viewport.width);
      expect(top).toBeLessThan(options.viewport.height);
      const folder = fileURLToPath(new URL('./dist/', import.meta.url));
      mkdirSync(folder, { recursive: true });
      await page().screenshot({
        path: `${folder}playground-${colorScheme}-${place.split(' ').at(-1)}.png`,
        fullPage: true,
      });
    });
  });
});

describe.skipIf(!executable)('playground, where less motion is asked for', () => {
  const page = eachWithPage('../../playground/', {}, { reducedMotion: 'reduce' });
  const press = (name: string) => page().getByRole('button', { name, exact: true }).click();
  const text = (id: string) => page().locator(`#${id}`).innerText();
  const number = async (id: string) => Number(await text(id));
  const set = (name: string, on: boolean) => page().getByRole('checkbox', { name }).setChecked(on);
  const graphNodes = () => page().locator('#graph .node-name').allTextContents();

  /** What the timeline tells of the calls it shows, oldest first. */
  async function calls(timeline = 'timeline'): Promise<{ method: string; mode: string; gates: string }[]> {
    const titles = await page().locator(`#${timeline} .call title`).allTextContents();
    const all = titles.map((title) => {
      const [, number, method, mode, gates] = /^call (\d+), (\w+): gradients (on|off); in force: (.*)$/.exec(title)!;
      return { number: Number(number), call: { method: method!, mode: mode!, gates: gates! } };
    });
    return all.sort((a, b) => a.number - b.number).map(({ call }) => call);
  }
  /** The mode of each method in the last step of training, without what drawing called after it. */
  async function lastStep(): Promise<Record<string, string>> {
    const all = await calls();
    const start = all.findLastIndex((c) => c.method === 'step');
    const end = all.findIndex((c, i) => i > start && c.method === 'surface');
    return Object.fromEntries(all.slice(start, end).map((c) => [c.method, c.mode]));
  }
  /** The mode of each method called to draw the surface, and of the last call of it. */
  async function lastDrawing(): Promise<Record<string, string>> {
    const all = await calls();
    const start = all.findLastIndex((c) => c.method === 'surface');
    return Object.fromEntries(all.slice(start).map((c) => [c.method, c.mode]));
  }

  it('waits for Start; then the loss falls, and stays when it is paused', async () => {
    await page().waitForTimeout(100);
    expect(await number('step')).toBe(0);
    await press('Step');
    const first = await number('loss');
    await press('Start');
    await page().waitForFunction(() => Number(document.getElementById('step')!.textContent) >= 250, null, {
      timeout: 60_000,
    });
    await press('Pause');
    const [step, last] = [await number('step'), await number('loss')];
    expect(first).toBeGreaterThan(0.5);
    expect(last).toBeLessThan(first / 3);
    await page().waitForTimeout(100);
    expect(await number('step')).toBe(step);
    expect(await page().locator('#loss-line').getAttribute('d')).toMatch(/^M.*L/);
  });

  it('starts anew from the same seed, and differently from others', async () => {
    const after10 = async () => {
      for (let i = 0; i < 10; i++) await press('Step');
      return text('loss');
    };
    const first = await after10();
    await press('Reset');
    expect(await number('step')).toBe(0);
    expect(await after10()).toBe(first);
    await page().getByLabel('Seed').fill('8');
    await page().getByLabel('Seed').blur();
    expect(await after10()).not.toBe(first);
    await page().getByLabel('Data').selectOption('Two moons');
    await press('100 steps');
    expect(await number('loss')).toBeLessThan(0.3);
  });

  it('frozen: the timeline shows features without gradients, and the graph ends before them', async () => {
    await press('Step');
    expect(await lastStep()).toEqual({ step: 'on', forward: 'on', features: 'on' });
    const whole = await graphNodes();
    expect(whole).toEqual(
      expect.arrayContaining(['head.weight', 'second.weight', 'first.weight', 'first.bias', 'tanh']),
    );
    expect(await number('nodes')).toBe(whole.length);

    await set('frozen', true);
    await press('Step');
    expect(await lastStep()).toEqual({ step: 'on', forward: 'on', features: 'off' });
    expect((await calls()).filter((c) => c.gates === 'noGrad on features')).not.toEqual([]);
    const rest = await graphNodes();
    expect(rest).toContain('head.weight');
    expect(rest).not.toContain('second.weight');

    await set('frozen', false);
    await press('Step');
    expect(await lastStep()).toEqual({ step: 'on', forward: 'on', features: 'on' });
    expect(await graphNodes()).toEqual(whole);
  });

  it('serving: backward() names the gate and the method, and there is no graph', async () => {
    await set('serving', true);
    await press('Step');
    const alert = page().getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toMatch(/^AutogradError: backward: .* switched off by noGrad on forward/);
    expect(await number('step')).toBe(0);
    expect(await lastStep()).toEqual({ step: 'on', forward: 'off', features: 'off' });
    expect(await graphNodes()).toEqual([]);
    await set('serving', false);
    await press('Step');
    expect(await alert.isVisible()).toBe(false);
    expect(await graphNodes()).not.toEqual([]);
  });

  it('quiet and arrows: the surface records nothing, and its slopes are computed inside it', async () => {
    await press('Step');
    expect(await lastDrawing()).toEqual({ surface: 'off', slope: 'on', forward: 'on', features: 'on' });
    expect(await number('surface-nodes')).toBe(0);
    await set('arrows', false);
    expect(await lastDrawing()).toEqual({ surface: 'off', forward: 'off', features: 'off', slope: 'off' });
    await set('quiet', false);
    expect(await lastDrawing()).toEqual({ surface: 'on', forward: 'on', features: 'on', slope: 'on' });
    expect(await number('surface-nodes')).toBeGreaterThan(10);
  });

  it('reads a 1 that is drawn by hand, and the digits it draws itself', async () => {
    const digit = page().locator('#digit');
    await digit.getByText('Draw a digit').waitFor();
    await page().locator('#pad').scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await page().locator('#pad').boundingBox())!;
    await page().mouse.move(x + width / 2, y + height * 0.15);
    await page().mouse.down();
    await page().mouse.move(x + width / 2, y + height * 0.85, { steps: 12 });
    await page().mouse.up();
    await digit.getByText(/^1, \d+% sure$/).waitFor();
    expect((await calls('digits-timeline')).at(-1)).toEqual({
      method: 'classify',
      mode: 'off',
      gates: 'noGrad on classify',
    });
    for (let i = 3; i < 13; i++) {
      await press('Draw one for me');
      await digit.getByText(new RegExp(`^${i % 10}, `)).waitFor();
    }
    await press('Clear');
    await digit.getByText('Draw a digit').waitFor();
  });

  it('refuses an async method, and covers a coroutine', async () => {
    const lines = page().locator('#waiting-log li');
    await press('@noGrad async score()');
    expect(await lines.allInnerTexts()).toEqual([
      expect.stringMatching(/^GradModeError: noGrad on score: .*AsyncLocalStorage/),
    ]);
    await press('noGrad.async(function* …)');
    await page().getByText('when it is done').waitFor();
    expect(await lines.allInnerTexts()).toEqual([
      'the coroutine, before it waits: gradients off',
      'its caller, meanwhile: gradients on',
      'the coroutine, after it waited: gradients off',
      'its caller, when it is done: gradients on',
    ]);
  });

  it('looks as in the docs', async () => {
    for (let i = 0; i < 4; i++) await press('100 steps');
    await set('frozen', true);
    await press('Step');
    await set('frozen', false);
    for (let i = 0; i < 2; i++) await press('Step');
    await press('Draw one for me');
    await page().locator('#digit').getByText(/^3, /).waitFor();
    await page().mouse.move(0, 0);
    await page().evaluate(() => scrollTo(0, 0));
    // For a person to look at. The one in docs is of a machine with the page's fonts: GRADGATE_SCREENSHOT=1 renews it.
    const folder = process.env['GRADGATE_SCREENSHOT'] ? '../../docs/images/' : './dist/';
    const images = fileURLToPath(new URL(folder, import.meta.url));
    mkdirSync(images, { recursive: true });
    await page().setViewportSize({ width: 1280, height: 1000 });
    await page().screenshot({ path: `${images}playground.png` });
    console.log(`screenshot: ${images}playground.png`);
  });
});
