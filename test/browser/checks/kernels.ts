import { Generator, getNumThreads, matmul, memory, randn, setNumThreads } from '@gradgate/core';
import { Linear } from '@gradgate/nn';
import { ok, same } from './assert.js';

/** The product runs in WebAssembly, compiled in the page's own thread, and is correct. */
export function matmulInWasm(): void {
  const instances: WebAssembly.Instance[] = [];
  const { Instance } = WebAssembly;
  WebAssembly.Instance = new Proxy(Instance, {
    construct(target, args: [WebAssembly.Module]) {
      const made = new target(...args);
      instances.push(made);
      return made;
    },
  });
  const n = 64;
  const generator = new Generator(5);
  const a = randn([n, n], { generator });
  const b = randn([n, n], { generator });
  const product = matmul(a, b).toTypedArray();
  WebAssembly.Instance = Instance;

  same(instances.length, 1, 'instances of the kernels');
  same(typeof instances[0]!.exports['gemm'], 'function', 'the kernel');
  const [x, y] = [a.toTypedArray(), b.toTypedArray()];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += x[i * n + k]! * y[k * n + j]!;
      ok(Math.abs(product[i * n + j]! - sum) < 1e-4, `entry ${i}, ${j} is ${product[i * n + j]}, expected ${sum}`);
    }
}

/** Gradients of a product that runs in WebAssembly. */
export function gradientOfMatmul(): void {
  const a = randn([48, 32]).requiresGrad_();
  const b = randn([32, 40]);
  matmul(a, b).sum().backward();
  const expected = b.sum(1).toTypedArray();
  const got = a.grad!.toTypedArray();
  got.forEach((g, i) => {
    ok(Math.abs(g - expected[i % 32]!) < 1e-3, `the gradient at ${i} is ${g}, expected ${expected[i % 32]}`);
  });
}

/** Products are the same with any number of threads, also if a page cannot have more than one. */
export async function threads(): Promise<void> {
  if (!crossOriginIsolated) same(getNumThreads(), 1, 'threads at first');
  const a = randn([200, 200], { generator: new Generator(6) });
  setNumThreads(1);
  const alone = matmul(a, a);
  setNumThreads(2);
  for (let i = 0; i < 60; i++) {
    ok(matmul(a, a).equal(alone), `product ${i} is another`);
    // A worker starts when the page is idle.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Parameters are in kernel memory in browsers too. */
export function parametersInKernelMemory(): void {
  const before = memory().tensors;
  const layer = new Linear(64, 64);
  same(memory().tensors, before + 1, 'tensors in kernel memory');
  layer(randn([8, 64]))
    .sum()
    .backward();
  same(memory().tensors, before + 2, 'with the gradient');
  layer.zeroGrad();
  same(memory().tensors, before + 1, 'without it');
}
