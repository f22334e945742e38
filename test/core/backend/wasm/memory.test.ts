import { afterEach, expect, it } from 'vitest';
import { KernelMemory } from '../../../../packages/core/src/backend/wasm/memory.js';
import { features, instantiate } from '../../../../packages/core/src/backend/wasm/module.js';

const before = features.native;
afterEach(() => {
  features.native = before;
});

it('asks an addon for its kernels again where a memory of its own has grown, which may have moved', () => {
  const seen: ArrayBufferLike[] = [];
  features.native = {
    file: '',
    attach: ({ buffer }) => {
      seen.push(buffer);
      const generation = seen.length;
      return { sum: () => generation };
    },
  };
  const memory = new KernelMemory(instantiate(true, false));
  expect(memory.instance.kernels.sum(0, 0)).toBe(1);
  memory.begin('test', 2 ** 24);
  expect(memory.instance.kernels.sum(0, 0)).toBe(2);
  expect(seen.at(-1)).toBe(memory.instance.memory.buffer);
});

it('has scratch memory such that arrays 16 bytes after the start of a page lie at least 32 bytes away, modulo a page', () => {
  const memory = new KernelMemory(instantiate(true, false));
  memory.begin('test', 3 * 2 ** 15);
  for (let i = 0; i < 3; i++) {
    const behind = (16 - memory.take(2 ** 15)) & 4095;
    expect(behind === 0 || behind >= 32).toBe(true);
  }
});
