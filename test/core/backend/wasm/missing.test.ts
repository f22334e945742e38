import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const url = (path: string): string => JSON.stringify(new URL(`../../../../packages/${path}`, import.meta.url).href);

/** Runs a program of its own, after `before`, under flags of Node. */
function run(flags: string[], before: string, body: string) {
  const program = `${before}
    const g = await import(${url('core/dist/index.js')});
    const { BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, optim, ReLU, Sequential } = await import(${url('nn/dist/index.js')});
    ${body}`;
  const args = [...flags, '--no-warnings', '--input-type=module', '--eval', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr: stderr.replace(/Warning: disabling flag .*\n/, '') };
}

const small = `const w = g.tensor([1, 2], { requiresGrad: true });
  w.mul(w).sum().backward();
  console.log(w.grad.toArray().join());`;
const large = `for (let i = 0; i < 3; i++) g.randn([300, 300]).matmul(g.randn([300, 300]));
  console.log(new Conv2d(1, 2, 3)(g.ones([1, 1, 5, 5])).shape.join());
  console.log(new Linear(256, 256)(g.ones([256, 256])).shape.join());`;

const refusing = `const refuse = () => { throw new WebAssembly.CompileError('refused by the policy'); };
  WebAssembly.Module = function () { refuse(); };`;

/** An engine that refuses some memories. */
const limited = (when: string): string => `let made = 0;
  WebAssembly.Memory = class extends WebAssembly.Memory {
    constructor({ initial, maximum, shared }) {
      if (${when}) throw new RangeError('could not allocate memory');
      super({ initial, maximum, shared });
    }
  };`;

describe('an engine without WebAssembly', () => {
  // What large operators compute, in both, of the same numbers.
  const values = `g.manualSeed(3);
    const model = new Sequential(new Conv2d(1, 8, 3), new BatchNorm2d(8), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(1352, 10));
    const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 });
    const [x, target] = [g.randn([32, 1, 28, 28]), g.randint(0, 10, [32])];
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      g.crossEntropy(model(x), target).backward();
      optimizer.step();
    }
    const more = [g.crossEntropy(model(x), target), g.layerNorm(x, [28]).pow(3).mean(), x.softmax(1).sum(), x.std(), x.matmul(x).abs().max()];
    console.log(JSON.stringify([g.memory().reserved === 0, ...more.map((t) => t.item())]));`;
  const results = (flags: string[], before: string): number[] => {
    const { status, stdout, stderr } = run(flags, before, `${small} ${values}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [sum, numbers] = stdout.trim().split('\n');
    expect(sum).toBe('2,4');
    return JSON.parse(numbers!) as number[];
  };
  const [without, ...expected] = results([], '');

  it.each([
    ['--jitless', ['--jitless'], ''],
    ['no global WebAssembly', [], 'delete globalThis.WebAssembly;'],
    ['a policy against compiling', [], refusing],
    ['a policy against running', [], 'WebAssembly.Instance = class { constructor() { throw new Error("refused"); } };'],
    [
      'no memory for it',
      [],
      'WebAssembly.Memory = class { constructor() { throw new RangeError("could not allocate"); } };',
    ],
  ])('%s: the plain loops of the host compute everything', (_, flags, before) => {
    expect(without).toBe(false);
    const [isWithout, ...numbers] = results(flags, before);
    expect(isWithout).toBe(true);
    numbers.forEach((v, i) => void expect(v).toBeCloseTo(expected[i]!, 3));
  });
});

describe('everything works', () => {
  it.each([
    ['under --frozen-intrinsics', ['--frozen-intrinsics'], ''],
    ['under --disallow-code-generation-from-strings', ['--disallow-code-generation-from-strings'], ''],
    ['without SharedArrayBuffer', [], 'delete globalThis.SharedArrayBuffer;'],
    ['without Atomics', [], 'delete globalThis.Atomics;'],
    ['with little address space', [], limited('maximum > 4096')],
    ['with memory that cannot be shared', [], limited('shared')],
    ['with address space for one memory', [], limited('++made > 1')],
    ['without FinalizationRegistry', [], 'delete globalThis.FinalizationRegistry;'],
  ])('%s', (_, flags, before) => {
    expect(run(flags, before, `${small} ${large}`)).toEqual({
      status: 0,
      stdout: '2,4\n1,2,3,3\n256,256\n',
      stderr: '',
    });
  });
});
