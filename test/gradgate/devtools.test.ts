import { ones, Tensor, tensor, zeros } from '@gradgate/core';
import { Linear, Module, ReLU, Sequential } from '@gradgate/nn';
import { build } from 'esbuild';
import { showTables } from 'gradgate';
import type { CDPSession } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch } from '../browser/chromium.js';
import { needChromium } from '../needs.js';
import { root } from '../packages/pack.js';

interface Formatter {
  header(value: unknown): unknown[] | null;
  hasBody(value: unknown): boolean;
  body(value: unknown): unknown[] | null;
}
const page = globalThis as { devtoolsFormatters?: Formatter[] };
const display = Symbol.for('Jupyter.display');
const shownBefore = Object.getOwnPropertyDescriptor(Tensor.prototype, display)!;

/** The text of markup, with a bar between cells and a line for each row and entry. */
function textOf(markup: unknown): string {
  if (typeof markup === 'string') return markup;
  const [tag, , ...children] = markup as [string, object, ...unknown[]];
  const inner = children.map(textOf).join(tag === 'tr' ? '|' : '');
  return ['tr', 'li'].includes(tag) ? `${inner}\n` : inner;
}

/** The objects in markup, which tools format in their turn. */
const objectsIn = (markup: unknown): unknown[] =>
  !Array.isArray(markup) ? [] : markup[0] === 'object' ? [markup[1].object] : markup.slice(2).flatMap(objectsIn);

describe('showTables in consoles', () => {
  let formatter: Formatter;
  beforeAll(() => {
    showTables();
    formatter = page.devtoolsFormatters![0]!;
  });
  afterAll(() => {
    delete page.devtoolsFormatters;
    Object.defineProperty(Tensor.prototype, display, shownBefore);
  });

  it('shows dtype, shape and grad state of a tensor, and the value where there is one', () => {
    const header = (value: unknown) => textOf(formatter.header(value));
    expect(header(zeros([2, 3], { dtype: 'int32' }))).toBe('Tensor int32 [2, 3]');
    expect(header(tensor(1.5))).toBe('Tensor float32 [] 1.5000');
    expect(header(ones([2], { requiresGrad: true }))).toBe('Tensor float32 [2], requiresGrad');
    expect(header(ones([2], { requiresGrad: true }).mul(2))).toMatch(/^Tensor float32 \[2\], gradFn: mul/i);
  });

  it('shows values as a table, and the gradient beside', () => {
    const t = tensor(
      [
        [1, 2.5],
        [3, 4],
      ],
      { requiresGrad: true },
    );
    t.square().sum().backward();
    expect(textOf(formatter.body(t))).toBe('|0|1\n0|1|2.5000\n1|3|4\ngrad: \n');
    expect(objectsIn(formatter.body(t))).toEqual([t.grad]);
    expect([t, tensor([]), zeros([2, 0])].map((each) => formatter.hasBody(each))).toEqual([true, false, false]);
  });

  it('shows a module with its layers and parameters, a level at a time', () => {
    const model = new Sequential(new Linear(2, 3), new ReLU());
    expect(textOf(formatter.header(model))).toBe('Sequential 9 parameters');
    expect(textOf(formatter.header(model.at(0)))).toMatch(/^Linear\(.*2.*3.*\) 9 parameters$/);
    expect(textOf(formatter.body(model))).toBe('0: \n1: \n');
    expect(objectsIn(formatter.body(model))).toEqual([model.at(0), model.at(1)]);
    expect(textOf(formatter.body(model.at(0)))).toBe('weight: \nbias: \n');
    expect(formatter.hasBody(model.at(1))).toBe(false);
  });

  it('leaves all else to others, and reads nothing that is gone', () => {
    for (const value of [null, 1, 'text', [], {}, () => 1, Module, Object.create(null)]) {
      expect(formatter.header(value)).toBeNull();
      expect(formatter.hasBody(value)).toBe(false);
    }
    const gone = ones([2]);
    gone.dispose();
    expect(textOf(formatter.header(gone))).toBe('Tensor float32 [2], its memory was given back');
    expect(formatter.hasBody(gone)).toBe(false);
  });

  it('is there once, however often it is asked for', () => {
    showTables();
    expect(page.devtoolsFormatters!.filter((each) => each === formatter)).toHaveLength(1);
  });
});

const executable = needChromium('tensors in a console of Chromium');

describe.skipIf(!executable)('the developer tools of Chromium', () => {
  let tools: CDPSession;
  let close = async (): Promise<void> => {};
  beforeAll(async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { tensor } from '@gradgate/core'; import { Linear, Sequential } from '@gradgate/nn';
          import { showTables } from 'gradgate'; Object.assign(globalThis, { tensor, Linear, Sequential, showTables });`,
        resolveDir: root,
      },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      keepNames: true,
      write: false,
    });
    const browser = await launch(executable!);
    close = () => browser.close();
    const tab = await browser.newPage();
    await tab.addScriptTag({ content: outputFiles[0]!.text, type: 'module' });
    await tab.waitForFunction('globalThis.showTables');
    tools = await tab.context().newCDPSession(tab);
    await tools.send('Runtime.enable');
    await tools.send('Runtime.setCustomObjectFormatterEnabled', { enabled: true });
  }, 60_000);
  afterAll(() => close());

  /** What the console shows of a value: its line, and what is there when it is opened. */
  async function shown(expression: string): Promise<{ header: string; body: string }> {
    const { result } = await tools.send('Runtime.evaluate', { expression, generatePreview: true });
    const { header, bodyGetterId } = result.customPreview!;
    if (!bodyGetterId) return { header: textOf(JSON.parse(header)), body: '' };
    const functionDeclaration = 'function () { return this(); }';
    const body = await tools.send('Runtime.callFunctionOn', {
      objectId: bodyGetterId,
      functionDeclaration,
      returnByValue: true,
    });
    return { header: textOf(JSON.parse(header)), body: textOf(body.result.value) };
  }

  it('show text by themselves, tables and trees after showTables', async () => {
    expect(await shown('tensor([[1, 2]])')).toEqual({ header: 'tensor([[1., 2.]])', body: '' });
    await tools.send('Runtime.evaluate', { expression: 'showTables()' });
    expect(await shown('tensor([[1, 2]])')).toEqual({ header: 'Tensor float32 [1, 2]', body: '|0|1\n0|1|2\n' });
    const { header, body } = await shown('new Sequential(new Linear(2, 3))');
    expect(header).toBe('Sequential 9 parameters');
    expect(body).toMatch(/^0: .*\n$/);
  });
});
