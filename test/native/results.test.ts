import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Results } from '../../packages/native/src/results.js';
import { needNative } from '../needs.js';

const file = needNative('results in kernel memory, given back while a loop goes on');

/** What the process that has the addon prints: a program after its imports. */
function run(program: string): string {
  const imports = `
    import { isNativeLoaded } from '@gradgate/native';
    import { memory, ones, randn, tidy, zeros } from '@gradgate/core';
    if (!isNativeLoaded()) throw new Error('no addon');`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', imports + program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim() + stderr.trim();
}

describe.runIf(file)('results under @gradgate/native', () => {
  it('lie in kernel memory, which a loop without a pause gives back', () => {
    const [before, after, most, left] = run(`
      const x = ones([100_000]);
      const before = memory().tensors;
      let most = 0;
      let sum = 0;
      for (let i = 0; i < 3000; i++) {
        const y = x.mul(i).add(1);
        most = Math.max(most, memory().bytes);
        sum += y.at(-1).item();
      }
      await new Promise((resolve) => setTimeout(resolve));
      console.log([before, sum, most, process.memoryUsage.rss()].join());`)
      .split(',')
      .map(Number) as [number, number, number, number];
    expect(before).toBe(1);
    expect(after).toBe((3000 * 2999) / 2 + 3000);
    // 2.4 GB were made, and 16 MB from one collection to the next.
    expect(most).toBeLessThan(100e6);
    expect(left).toBeLessThan(300e6);
  });

  it('that somebody holds stay what they are, whatever is made meanwhile', () => {
    expect(
      run(`
        const held = [];
        for (let i = 0; i < 400; i++) {
          for (let j = 0; j < 20; j++) zeros([20_000]).add(-1);
          held.push(zeros([5000]).add(i), zeros([40, 50]).add(i).t());
        }
        const wrong = held.filter((t, i) => !t.eq(i >> 1).all().item());
        console.log(wrong.length, memory().bytes > 400 * 28_000);`),
    ).toBe('0 true');
  });

  it('are given back by dispose() and tidy once, and by no collection again', () => {
    expect(
      run(
        `
        const x = ones([50_000]);
        const one = memory().bytes;
        const base = memory();
        for (let i = 0; i < 200; i++) {
          const y = x.add(1);
          y.dispose();
          if (memory().bytes !== base.bytes || memory().tensors !== base.tensors) throw new Error('not given back');
          tidy.run(() => void x.add(2).exp());
          if (memory().bytes !== base.bytes) throw new Error('not given back by tidy');
        }
        const left = tidy.run(() => x.add(2));
        for (let i = 0; i < 300; i++) x.exp();
        console.log(left.eq(3).all().item() === 1, memory().bytes < one * 90);`,
      ),
    ).toBe('true true');
  });

  it('of a backward pass that is shown are where they were: gradients and what a leaf on no parameter gets', () => {
    expect(
      run(`
        const w = randn([100, 100], { requiresGrad: true });
        const x = randn([100, 100], { requiresGrad: true });
        for (let i = 0; i < 500; i++) {
          w.grad = x.grad = null;
          w.mul(x).sum().backward();
          if (!w.grad.equal(x.detach()) || !x.grad.equal(w.detach())) throw new Error('wrong');
        }
        const [before, grad] = [w.grad, w.grad.clone()];
        w.grad = null;
        for (let i = 0; i < 2000; i++) w.mul(3).sum().backward();
        console.log(before.equal(grad), w.grad.sub(6000).abs().max().item() < 0.5, memory().bytes < 100e6);`),
    ).toBe('true true true');
  });

  it('that outlive collections of the young are found by those of all', () => {
    expect(
      run(`
        let most = 0;
        const [x, window] = [ones([50_000]), []];
        for (let i = 0; i < 3000; i++) {
          window.push(x.add(i));
          // Old enough to have been moved away from what is looked at often.
          if (window.length > 150) window.shift();
          most = Math.max(most, memory().bytes);
        }
        console.log(window.every((t, i) => t.at(7).item() === 2850 + i + 1), most < 350e6);`),
    ).toBe('true true');
  });
});

describe('who gives results back', () => {
  const objects = new Map<number, object>();
  const dead = new Set<object>();
  const references = {
    watch: (number: number, object: object) => objects.set(number, object).size <= 1000,
    isCollected: (number: number) => dead.has(objects.get(number)!),
  };
  const pinned = (bytes: number) => ({ block: 0, bytes, gradient: 0 });

  it('asks for a collection by bytes, less often where little is freed, and for one of all where much is held', () => {
    const asked: string[] = [];
    const results = new Results(references, (which) => void asked.push(which));
    const make = (bytes: number, dies: boolean) => {
      const object = {};
      if (dies) dead.add(object);
      results.watch(object, pinned(bytes));
    };
    for (let i = 0; i < 15; i++) make(1e6, true);
    expect(asked).toEqual([]);
    make(1e6, true);
    expect(asked).toEqual(['minor']);
    for (let i = 0; i < 16; i++) make(1e6, false);
    expect(asked).toEqual(['minor', 'minor']);
    // Nothing was freed, so that twice as much has to be made.
    for (let i = 0; i < 31; i++) make(1e6, false);
    expect(asked).toHaveLength(2);
    make(1e6, false);
    expect(asked).toHaveLength(3);
    make(60e6, false);
    expect(asked.slice(3)).toEqual([]);
    make(10e6, false);
    expect(asked.slice(3)).toEqual(['minor', 'major']);
  });

  it('gives numbers to objects that no other has', () => {
    objects.clear();
    const results = new Results(references, () => {});
    const all = Array.from({ length: 100 }, () => ({}));
    for (const object of all.slice(0, 50)) results.watch(object, pinned(1e6));
    for (const object of all.slice(0, 25)) dead.add(object);
    for (const object of all.slice(50)) results.watch(object, pinned(1e6));
    const living = new Set(objects.values());
    for (const object of all.filter((object) => !dead.has(object))) expect(living.has(object)).toBe(true);
  });
});
