import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { enableGrad, inferenceMode, noGrad, observeGradModes, tensor } from '@gradgate/core';
import { data, Linear } from '@gradgate/nn';
import { build } from 'esbuild';
import {
  curvesSvg,
  curvesText,
  graphDot,
  graphSvg,
  policiesTable,
  progress,
  recordTimeline,
  timelineSvg,
} from 'gradgate';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

const cli = fileURLToPath(new URL('../../packages/gradgate/bin/gradgate.js', import.meta.url));
const model = fileURLToPath(new URL('model.ts', import.meta.url));
const run = (...args: string[]) =>
  execFileSync(process.execPath, [cli, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const isSvg = (text: string) => expect(text).toMatch(/<svg[\s\S]*<\/svg>/);

describe('graph', () => {
  const leaf = () => tensor([1, 2], { requiresGrad: true });

  it('names operations, shapes and leaves, and each node stands once', () => {
    const w = leaf();
    const h = w.mul(w);
    const dot = graphDot(h.add(h).sum(), { names: { weight: w } });
    expect(dot.match(/label="mul/g)).toHaveLength(1);
    expect(dot.match(/label="weight\\n\[2\]"/g)).toHaveLength(1);
    expect(dot).toContain('label="sum\\n[]"');
    expect(dot.match(/ -> /g)).toHaveLength(6);
  });

  it('shows what is not tracked: the gate and the method, or detach', () => {
    const w = leaf();
    const score = noGrad.wrap(function score() {
      return w.mul(2);
    });
    const dot = graphDot(w.mul(score()).add(w.mul(3).detach()));
    expect(dot).toContain('label="under noGrad\\non score"');
    expect(dot).toContain('label="detached"');
    expect(graphDot(score())).toMatch(/untracked:.*switched off by noGrad on score/s);
  });

  it('is an SVG, also of a graph deeper than the stack', async () => {
    isSvg(await graphSvg(new Linear(2, 2)(tensor([[1, 2]]))));
    let deep = leaf();
    for (let i = 0; i < 20_000; i++) deep = deep.neg();
    expect(graphDot(deep).match(/label="neg/g)).toHaveLength(20_000);
  });

  it('quotes what users write', () => {
    const w = leaf();
    expect(graphDot(w, { names: { 'a "b" \\ c': w } })).toContain('a \\"b\\" \\\\ c');
  });
});

describe('timeline', () => {
  afterEach(() => {
    observeGradModes(null);
  });

  it('has each guarded call with its mode, from beginning to end, promises until they settle', async () => {
    const timeline = recordTimeline();
    const wait = noGrad.wrap(async function wait() {
      await new Promise((resolve) => setTimeout(resolve, 15));
      return 7;
    });
    const both = Promise.all([wait(), wait()]);
    noGrad.run(() => enableGrad.run(() => {}));
    inferenceMode.run(() => {});
    noGrad(false).run(() => {});
    expect(() =>
      noGrad.run(() => {
        throw new Error('x');
      }),
    ).toThrow('x');
    expect(await both).toEqual([7, 7]);
    const entries = timeline.stop();
    expect(entries.map((e) => [e.member, e.gate, e.enabled, e.inference, e.held])).toEqual([
      ['wait', 'noGrad', false, false, true],
      ['wait', 'noGrad', false, false, true],
      [null, 'noGrad', false, false, true],
      [null, 'enableGrad', true, false, true],
      [null, 'inferenceMode', false, true, true],
      [null, 'noGrad', true, false, false],
      [null, 'noGrad', false, false, true],
    ]);
    const [first, second, outer, inner] = entries;
    expect(first!.end - first!.start).toBeGreaterThan(10);
    expect(second!.lane).not.toBe(first!.lane);
    expect(inner!.depth).toBe(outer!.depth + 1);
    noGrad.run(() => {});
    expect(timeline.stop()).toHaveLength(7);
    isSvg(timelineSvg(entries));
    isSvg(timelineSvg([]));
  });

  it('what is observed does as it does unobserved: modes, results, this, generators', () => {
    const timeline = recordTimeline();
    const o = {
      n: 3,
      get: noGrad.wrap(function (this: { n: number }, by: number) {
        return this.n * by;
      }),
    };
    expect(o.get(2)).toBe(6);
    const values = noGrad.wrap(function* () {
      yield tensor([1], { requiresGrad: true }).mul(2).requiresGrad;
    });
    expect([...values()]).toEqual([false]);
    timeline.stop();
  });
});

describe('curves', () => {
  it('are SVG, and text', () => {
    isSvg(curvesSvg({ train: [3, 2, Number.NaN, 1], test: [3, 2.5] }, { title: 'loss' }));
    expect(curvesText({ loss: [3, 2, 1, Number.POSITIVE_INFINITY] }, { height: 3 })).toMatch(
      /3\.00[\s\S]*1\.00[\s\S]*loss/,
    );
  });
  it('refuse what is none', () => {
    for (const none of [{}, { loss: [] }, { train: [], test: [] }] as Record<string, number[]>[]) {
      expect(() => curvesSvg(none)).toThrow(/^curvesSvg: there is nothing to draw/);
      expect(() => curvesText(none)).toThrow(/^curvesText: there is nothing to draw/);
    }
    for (const [name, draw] of Object.entries({ curvesSvg, curvesText })) {
      expect(() => draw({ loss: ['1'] as never })).toThrow(`${name}: 'loss' must be an array of numbers`);
      expect(() => draw(null as never)).toThrow(`${name}: curves must be an object, got null`);
      expect(() => draw({ loss: [1] }, { heigth: 3 } as never)).toThrow(`${name}: there is no option 'heigth'`);
    }
  });
  it.each([
    ['one value far from 0', [1e300], '1.00e+300'],
    ['values that differ in the last bit', [1, 1 + Number.EPSILON], '1.00'],
    ['as far apart as numbers can be', [-Number.MAX_VALUE, Number.MAX_VALUE], '-1.80e+308'],
    ['numbers next to 0', [0, Number.MIN_VALUE], '0.00'],
    ['none', [], 'loss'],
  ])('as text end also with %s', (_, values, seen) => {
    const text = curvesText({ loss: [1, 2].slice(values.length), other: values }, { height: 3 });
    expect(text).toContain(seen);
    expect(text).not.toMatch(/NaN|Infinity/);
    expect(text.split('\n').length).toBeLessThanOrEqual(5);
  });
  it('as text have the value of each row beside it', () => {
    expect(curvesText({ loss: [-1, 0, 3] }, { height: 4 }).match(/-?\d\.\d\d/g)).toEqual([
      ...['3.00', '2.00', '1.00', '0.00', '-1.00'],
    ]);
  });
});

describe('progress', () => {
  it.each([null, 3, 'abc', {}])('refuses %j, which cannot be gone through', (items) => {
    expect(() => progress(items as never)).toThrow(/^progress: items must be an array or another iterable/);
  });

  it('hands on all items, sync and async, quietly where there is no terminal, and leaves the source with the loop', async () => {
    const seen: number[] = [];
    const bar = progress([1, 2, 3], { title: 'x' });
    for (const i of bar) {
      seen.push(i);
      bar.note({ loss: i / 3 });
    }
    let closed = false;
    async function* source() {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed = true;
      }
    }
    for await (const i of progress(source())) if (i === 2) break;
    expect([seen, closed]).toEqual([[1, 2, 3], true]);
    const loader = new data.DataLoader({ length: 4, get: (i: number) => i }, { batchSize: 2 });
    expect([...progress(loader)].map((t) => t.toArray())).toEqual([
      [0, 1],
      [2, 3],
    ]);
    const stream = new data.DataLoader([5], {});
    expect([...progress(stream)]).toHaveLength(1);
  });

  it('draws a bar on a terminal, keeps a line of any length on it, and clears it in the end', () => {
    const written: string[] = [];
    const { stderr } = process;
    const before = [stderr.isTTY, stderr.columns, stderr.write] as const;
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    Object.assign(stderr, { isTTY: true, columns: 90, write: (text: string) => written.push(text) });
    try {
      const bar = progress([1, 2, 3, 4], { title: 'epoch\n1', unit: 'batches' });
      for (const i of bar) {
        bar.note({ loss: i, words: 'x'.repeat(200) });
        now += 30_000;
      }
    } finally {
      Object.assign(stderr, { isTTY: before[0], columns: before[1], write: before[2] });
      clock.mockRestore();
    }
    const lines = written.filter((text) => text.startsWith('\r\u001b[2Kepoch')).map((text) => text.slice(5));
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatch(/^epoch 1 ░{40} 0% \| - batches\/s$/);
    expect(lines[2]).toMatch(/^epoch 1 █{20}░{20} 50% \| 0\.0333 batches\/s \| 1:00 le/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(89);
    expect(written[0]).toBe('\u001b[?25l');
    expect(written.at(-1)).toBe('\r\u001b[2K\u001b[?25h');
  });

  it('runs in a bundle as an ES module', async () => {
    const contents = `import { progress } from 'gradgate'; console.log([...progress([1, 2])].join())`;
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: import.meta.dirname },
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['esbuild'],
      write: false,
    });
    const folder = mkdtempSync(join(tmpdir(), 'gradgate-progress-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'bundle.mjs'), outputFiles[0]!.contents);
    expect(execFileSync(process.execPath, [join(folder, 'bundle.mjs')], { encoding: 'utf8' })).toBe('1,2\n');
  });
});

describe('npx gradgate', () => {
  const out = (name: string) => join(mkdtempSync(join(tmpdir(), 'gradgate-cli-')), name);
  // Beside this test, where packages are found.
  const program = (text: string) => {
    const folder = mkdtempSync(join(import.meta.dirname, '.program-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'program.ts'), text);
    return join(folder, 'program.ts');
  };
  const classifier = `
    import { Conv2d, Embedding, Flatten, Linear, Sequential } from '@gradgate/nn';
    export default class extends Sequential {
      constructor() {
        super(new Conv2d(3, 4, 3), new Flatten(), new Linear(144, 2));
      }
    }
    export const words = new Embedding(10, 4);`;

  it('graph draws the default export of a TypeScript module, with the names of its parameters', () => {
    const file = out('graph.svg');
    expect(run('graph', model, '--out', file)).toBe(`wrote ${file}\n`);
    const svg = readFileSync(file, 'utf8');
    isSvg(svg);
    for (const text of ['net.hidden.weight', 'net.output.bias', 'relu', 'under noGrad', 'on mean', 'detached'])
      expect(svg).toContain(text);
  });

  it('graph and summary call a Module that is the default export, or its class, with inputs of the shapes given', () => {
    const file = out('graph.dot');
    const source = program(classifier);
    run('graph', source, '-o', file, '--input', '2,3,8,8', '--depth', '1');
    expect(readFileSync(file, 'utf8')).toContain('label="2 · Linear\\n[2, 2]\\n290 parameters"');
    expect(run('summary', source, '-i', '2,3,8,8')).toMatch(/2 +Linear +\[2, 2\] +290 +trainable +576\n402 parameters/);
    const words = program(
      `${classifier}\nexport { words as default };`.replace('export default class', 'class Unused'),
    );
    run('graph', words, '-o', file, '-i', '5:int64');
    expect(readFileSync(file, 'utf8')).toContain('[5, 4] float32');
  });

  it('.png is a PNG', () => {
    const graph = out('graph.png');
    run('graph', model, '-o', graph);
    expect(readFileSync(graph, 'latin1').startsWith('\u0089PNG')).toBe(true);
    const file = out('timeline.png');
    expect(run('timeline', model, '-o', file)).toContain(`wrote ${file}`);
    // Two pixels for each of its 960 units.
    expect(readFileSync(file).readUInt32BE(16)).toBe(1920);
  });

  it('policies lists what decorators say', () => {
    const table = run('policies', model);
    expect(table).toMatch(/Net +features +method +noGrad +\(\) ?=> ?frozen +Net/);
    expect(table).toMatch(/Net +serve +method +noGrad +always/);
    expect(policiesTable({ a: 1, b: () => 0 })).toBe('no class with decorated members is exported');
  });

  it('timeline shows the calls of a script, also after its last line', () => {
    const file = out('timeline.svg');
    expect(run('timeline', model, '-o', file)).toMatch(/wrote .*: \d+ guarded calls/);
    const svg = readFileSync(file, 'utf8');
    for (const text of ['serve', 'flow 2', 'features', 'gradients off']) expect(svg).toContain(text);
  });

  it('timeline has no row of gates that the library uses for itself', () => {
    const file = out('timeline.svg');
    const source = program(`
      import { noGrad, ones } from '@gradgate/core';
      import { BatchNorm1d, evaluating, Linear, optim, Sequential } from '@gradgate/nn';
      const net = new Sequential(new Linear(2, 2), new BatchNorm1d(2));
      const optimizer = new optim.Adam(net.parameters());
      net(ones([3, 2])).sum().backward();
      optimizer.step();
      evaluating.run(() => net(ones([3, 2])));`);
    expect(run('timeline', source, '-o', file)).toBe(`wrote ${file}: 1 guarded calls\n`);
    const own = program(`import { noGrad } from '@gradgate/core';\nnoGrad.run(() => {});`);
    expect(run('timeline', own, '-o', file)).toBe(`wrote ${file}: 1 guarded calls\n`);
    expect(readFileSync(file, 'utf8')).toContain('>noGrad</text>');
  });

  it('says what it wants, and writes nothing', () => {
    const broken = out('broken.ts');
    writeFileSync(broken, 'export default 7;');
    expect(() => run('graph', broken, '-o', `${broken}.svg`)).toThrow(
      /must be a tensor, a function that returns one, or a Module, got 7/,
    );
    expect(existsSync(`${broken}.svg`)).toBe(false);
    expect(() => run('graph', program(classifier))).toThrow(/is a Module; give the shape of each argument/);
    expect(() => run('draw', model)).toThrow(/usage: gradgate graph/);
    expect(run('--help')).toContain('usage: gradgate graph');
  });
});
