import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from '../../../../packages/core/src/backend/wasm/heap.js';

/** What to do: take so many bytes, or give back one of those that are taken. */
const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: -1000, max: -1 })), {
  maxLength: 200,
});

describe('blocks of kernel memory', () => {
  it('never overlap, lie on cache lines within what was reached, and are counted', () => {
    fc.assert(
      fc.property(steps, (list) => {
        let end = 0;
        const heap = new Heap(4096, (to) => {
          end = Math.max(end, to);
          return true;
        });
        const taken: { at: number; size: number }[] = [];
        for (const step of list) {
          if (step >= 0) taken.push({ at: heap.allocate(step), size: step });
          else if (taken.length > 0) heap.free(taken.splice(-step % taken.length, 1)[0]!.at);
          const sorted = [...taken].sort((a, b) => a.at - b.at);
          sorted.forEach(({ at, size }, i) => {
            expect(at % 64).toBe(0);
            expect(at).toBeGreaterThanOrEqual(4096);
            expect(heap.sizeOf(at)).toBeGreaterThanOrEqual(size);
            expect(at + size).toBeLessThanOrEqual(sorted[i + 1]?.at ?? end);
          });
          expect(heap.held).toBe(taken.reduce((sum, { at }) => sum + heap.sizeOf(at), 0));
        }
      }),
    );
  });

  it('are joined when they are given back: a block as large as all of them fits in their place', () => {
    let end = 0;
    const heap = new Heap(0x1000, (to) => {
      end = Math.max(end, to);
      return true;
    });
    const blocks = [100, 2000, 64, 700, 3000].map((n) => heap.allocate(n));
    const reached = end;
    for (const i of [3, 0, 4, 2, 1]) heap.free(blocks[i]!);
    expect(heap.held).toBe(0);
    expect(heap.allocate(reached - 0x1000)).toBe(0x1000);
    expect(end).toBe(reached);
  });

  it('are refused with 0 where memory cannot grow, and nothing is lost', () => {
    const heap = new Heap(64, (to) => to <= 1024);
    const at = heap.allocate(512);
    expect(at).toBe(64);
    expect(heap.allocate(1024)).toBe(0);
    expect(heap.held).toBe(512);
    expect(heap.allocate(256)).toBe(576);
    heap.free(at);
    expect(() => heap.free(at)).toThrow('no block at 64');
  });
});
