import type { Generator, View } from '@gradgate/core';
import { advance } from '@gradgate/core/internal';
import { type Gpu, groupsFor } from '../gpu.js';
import type { Block } from '../pool.js';
import { blockOf, gpuOf } from '../storage.js';

// Draws uniform numbers on the device as the host would. A step of the generator, xoroshiro128+, is a linear function
// of the 128 bits of its state, so powers of it take each thread to the start of its own numbers.

/** A linear function of states, as the images of the states with a single bit `n`: four words each. */
type Jump = Int32Array;

/** The count of numbers that a thread draws, and its logarithm. */
const perThread = 64;
const levelOfThread = 6;
const levels = 32;

/** One step of xoroshiro128+, on words in the order of `Generator.getState`. */
function next([s01, s00, s11, s10]: readonly number[]): number[] {
  const a0 = s10! ^ s00!;
  const a1 = s11! ^ s01!;
  return [
    (s01! << 24) ^ (s00! >>> 8) ^ a1 ^ ((a1 << 16) | (a0 >>> 16)),
    (s00! << 24) ^ (s01! >>> 8) ^ a0 ^ (a0 << 16),
    (a0 << 5) ^ (a1 >>> 27),
    (a1 << 5) ^ (a0 >>> 27),
  ];
}

function jumped(jump: Jump, state: readonly number[]): number[] {
  const to = [0, 0, 0, 0];
  for (let bit = 0; bit < 128; bit++)
    if ((state[bit >> 5]! >>> (bit & 31)) & 1) for (let k = 0; k < 4; k++) to[k]! ^= jump[bit * 4 + k]!;
  return to;
}

/** The jumps of 1, 2, 4, ... steps. */
function allJumps(): Jump[] {
  const ofBits = (then: (state: number[]) => number[]): Jump =>
    Int32Array.from(
      Array.from({ length: 128 }, (_, bit) =>
        then([0, 1, 2, 3].map((word) => (word === bit >> 5 ? 1 << (bit & 31) : 0))),
      ).flat(),
    );
  const jumps = [ofBits(next)];
  for (let level = 1; level < levels; level++) {
    const half = jumps.at(-1)!;
    jumps.push(ofBits((state) => jumped(half, jumped(half, state))));
  }
  return jumps;
}

/** The jumps, made at first use, and those for threads in the memory of each device. */
const state = { jumps: null as Jump[] | null, blocks: new WeakMap<Gpu, Block>() };

function blockOfJumps(gpu: Gpu, jumps: readonly Jump[]): Block {
  let block = state.blocks.get(gpu);
  if (block) return block;
  const words = Int32Array.from(jumps.slice(levelOfThread).flatMap((jump) => [...jump]));
  block = gpu.pool.take(words.byteLength);
  gpu.write(block, words, 0);
  state.blocks.set(gpu, block);
  return block;
}

/** Fills `out`, float32, with the numbers of `generator.uniform()`, and advances the generator. */
export function uniform(generator: Generator, out: View): void {
  state.jumps ??= allJumps();
  const { jumps } = state;
  const gpu = gpuOf(out);
  const words = generator.getState().slice(0, 4);
  gpu.run(
    'uniform',
    () => ({
      reads: { jumps: 'i32' },
      writes: { out: 'f32' },
      numbers: ['n', 's0', 's1', 's2', 's3', 'out_o'],
      body: `let first = i * ${perThread}u;
if (first >= u.n) { return; }
var s = vec4u(u.s0, u.s1, u.s2, u.s3);
var at = 0u;
for (var rest = i; rest > 0u; rest >>= 1u) {
  if ((rest & 1u) == 1u) {
    var to = vec4u(0u);
    for (var bit = 0u; bit < 128u; bit++) {
      if (((s[bit >> 5u] >> (bit & 31u)) & 1u) == 1u) {
        let row = at + bit * 4u;
        to ^= bitcast<vec4u>(vec4i(jumps[row], jumps[row + 1u], jumps[row + 2u], jumps[row + 3u]));
      }
    }
    s = to;
  }
  at += 512u;
}
for (var k = first; k < min(first + ${perThread}u, u.n); k++) {
  out[u.out_o + k] = f32((s.y + s.w) >> 8u) / 16777216.0;
  let a0 = s.w ^ s.y;
  let a1 = s.z ^ s.x;
  s = vec4u(
    (s.x << 24u) ^ (s.y >> 8u) ^ a1 ^ ((a1 << 16u) | (a0 >> 16u)),
    (s.y << 24u) ^ (s.x >> 8u) ^ a0 ^ (a0 << 16u),
    (a0 << 5u) ^ (a1 >> 27u),
    (a1 << 5u) ^ (a0 >> 27u),
  );
}`,
    }),
    [blockOfJumps(gpu, jumps), blockOf(out)],
    [out.numel, ...words.map((word) => word >>> 0), out.offset],
    groupsFor(Math.ceil(out.numel / perThread / 64)),
  );
  let behind = words;
  for (let level = 0, rest = out.numel; rest > 0; level++, rest = Math.floor(rest / 2))
    if (rest % 2 === 1) behind = jumped(jumps[level]!, behind);
  advance(generator, behind);
}
