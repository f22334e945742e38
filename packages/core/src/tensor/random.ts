import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator';

import { brand, thisCopy } from '../brand.js';

import { check, show } from '../check.js';
import { defineMode, type Gate } from '../grad/index.js';
import * as is from '../kinds.js';
import { refuseRecording } from '../memory/recording.js';

/**
 * A source of random numbers that gives the same ones for the same seed, on every platform.
 *
 * ```ts
 * const generator = new Generator(1);
 * rand([2], { generator }).shape; // [2]
 * ```
 */
export class Generator {
  private source: JumpableRandomGenerator;
  private spare: number | null = null;

  /** Libraries that wrap plain objects, as Vue's reactive() does, leave tagged ones alone. */
  get [Symbol.toStringTag](): string {
    return 'Generator';
  }

  /** @internal */
  get [brand](): object {
    return thisCopy;
  }

  constructor(seed: number = Date.now()) {
    refuseRecording('a random generator is made inside, which starts anew at each call');
    this.source = seeded('Generator', seed);
  }

  /** Starts anew from `seed`, a whole number of at most 2^53 - 1 in size. Neighboring seeds give unrelated numbers. */
  manualSeed(seed: number): this {
    refuseRecording('a generator is seeded');
    this.source = seeded('manualSeed', seed);
    this.spare = null;
    return this;
  }

  /** The state, to go on from later with `setState`. */
  getState(): number[] {
    return [...this.source.getState(), ...(this.spare === null ? [] : [this.spare])];
  }

  /** Continues from a state that `getState()` gave. */
  setState(state: readonly number[]): this {
    refuseRecording('the state of a generator is set');
    if (!Array.isArray(state) || state.length < 4 || state.length > 5 || !state.every((n) => typeof n === 'number'))
      throw new TypeError('setState: not a state from getState()');
    this.source = xoroshiro128plusFromState(state.slice(0, 4));
    this.spare = state[4] ?? null;
    return this;
  }

  /** @internal As the function of this name. */
  advance(words: readonly number[]): void {
    this.source = xoroshiro128plusFromState(words);
  }

  /** 32 random bits as a whole number from 0 to 2^32 - 1. */
  bits(): number {
    return this.source.next() >>> 0;
  }

  /** Uniform in [0, 1), with 24 random bits: what float32 can hold. */
  uniform(): number {
    return (this.bits() >>> 8) * 2 ** -24;
  }

  /** Uniform whole number in [0, n). */
  below(n: number): number {
    check('below', 'n', n, is.number);
    // 53 bits leave a bias below 2^-21 for any n up to 2^32.
    return Math.floor((((this.bits() >>> 5) * 0x4000000 + (this.bits() >>> 6)) / 2 ** 53) * n);
  }

  /** From the standard normal distribution (Box and Muller, 1958). */
  normal(): number {
    if (this.spare !== null) {
      const spare = this.spare;
      this.spare = null;
      return spare;
    }
    // 1 - u is never 0, so the logarithm is finite.
    const r = Math.sqrt(-2 * Math.log(1 - (this.bits() >>> 0) / 2 ** 32));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = r * Math.sin(angle);
    return r * Math.cos(angle);
  }
}

/**
 * Goes on from the words of a state that a device has drawn up to: what is kept for the next call of `normal` stays.
 */
export const advance = (generator: Generator, words: readonly number[]): void => generator.advance(words);

/**
 * The generator that starts from `seed`: splitmix64 (Steele et al., 2014) makes its state of all the seed's bits, as
 * the authors of xoroshiro128+ advise. A state with few bits set would take hundreds of draws to look random.
 */
function seeded(op: string, seed: number): JumpableRandomGenerator {
  if (!Number.isSafeInteger(seed))
    throw new TypeError(`${op}: a seed must be a whole number between -(2^53 - 1) and 2^53 - 1, got ${show(seed)}`);
  let z = BigInt.asUintN(64, BigInt(seed));
  const state: number[] = [];
  for (let word = 0; word < 2; word++) {
    z = BigInt.asUintN(64, z + 0x9e3779b97f4a7c15n);
    let mixed = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    mixed ^= mixed >> 31n;
    state.push(Number(BigInt.asIntN(32, mixed >> 32n)), Number(BigInt.asIntN(32, mixed)));
  }
  return xoroshiro128plusFromState(state);
}

/** Used wherever no generator is given, outside of `forkRng`. */
export const defaultGenerator = new Generator();

const generator = defineMode<Generator | null>('gradgate.generator', null);

/**
 * The generator that is used here where none is given: that of the innermost `forkRng` of this flow, or the default
 * one.
 *
 * ```ts
 * forkRng(3).run(() => currentGenerator() === defaultGenerator); // false
 * ```
 */
export const currentGenerator = (): Generator => generator.get() ?? defaultGenerator;

/**
 * A gate whose random numbers are its own: they don't shift those of the code around it or of other flows, also where
 * these interleave. `forkRng(seed)` starts from the seed at each call, so each call draws the same numbers;
 * `forkRng(generator)` goes on with that generator; `forkRng()` starts from a copy of the state of the generator around
 * it.
 *
 * ```ts
 * const sample = forkRng(0).run(() => randn([2, 3]));
 * ```
 */
export function forkRng(from?: number | Generator): Gate {
  if (typeof from === 'number') seeded('forkRng', from);
  else if (from !== undefined && !(from instanceof Generator))
    throw new TypeError(`forkRng: takes a seed or a Generator, got ${show(from)}`);
  return forking(from);
}

const forking = generator.gateWith('forkRng', ({ outer }, from: number | Generator | undefined) => {
  if (from instanceof Generator) return from;
  if (from !== undefined) return new Generator(from);
  return new Generator(0).setState((outer ?? defaultGenerator).getState());
});

/**
 * Seeds the generator that is used here where none is given: the default one, outside of `forkRng`.
 *
 * ```ts
 * manualSeed(1);
 * const first = rand([2]);
 * manualSeed(1);
 * equal(rand([2]), first); // true
 * ```
 */
export function manualSeed(seed: number): Generator {
  return currentGenerator().manualSeed(seed);
}
