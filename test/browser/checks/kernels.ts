import { Generator, matmul, randn } from '@gradgate/core';
import { ok, same } from './assert.js';

/** The product runs in WebAssembly, compiled on the page's own thread, and is right. */
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
