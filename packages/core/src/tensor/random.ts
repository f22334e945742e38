import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator';

/** A source of random numbers that gives the same ones for the same seed, on every platform. */
export class Generator {
  #bits: JumpableRandomGenerator;
  #spare: number | null = null;

  constructor(seed: number = Date.now()) {
    this.#bits = xoroshiro128plus(checkSeed(seed));
  }

  /** Starts anew from `seed`, a whole number. */
  manualSeed(seed: number): this {
    this.#bits = xoroshiro128plus(checkSeed(seed));
    this.#spare = null;
    return this;
  }

  /** The state, to go on from later with `setState`. */
  getState(): number[] {
    return [...this.#bits.getState(), ...(this.#spare === null ? [] : [this.#spare])];
  }

  setState(state: readonly number[]): this {
    if (!Array.isArray(state) || state.length < 4 || state.length > 5 || !state.every((n) => typeof n === 'number'))
      throw new TypeError('setState: not a state from getState()');
    this.#bits = xoroshiro128plusFromState(state.slice(0, 4));
    this.#spare = state[4] ?? null;
    return this;
  }

  /** 32 random bits as a whole number from 0 to 2^32 - 1. */
  bits(): number {
    return this.#bits.next() >>> 0;
  }

  /** Uniform in [0, 1), with 24 random bits: what float32 can hold. */
  uniform(): number {
    return (this.bits() >>> 8) * 2 ** -24;
  }

  /** Uniform whole number in [0, n). */
  below(n: number): number {
    // 53 bits leave a bias below 2^-21 for any n up to 2^32.
    return Math.floor((((this.bits() >>> 5) * 0x4000000 + (this.bits() >>> 6)) / 2 ** 53) * n);
  }

  /** From the standard normal distribution (Box and Muller, 1958). */
  normal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    // 1 - u is never 0, so the logarithm is finite.
    const r = Math.sqrt(-2 * Math.log(1 - (this.bits() >>> 0) / 2 ** 32));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = r * Math.sin(angle);
    return r * Math.cos(angle);
  }
}

function checkSeed(seed: number): number {
  if (!Number.isInteger(seed)) throw new TypeError(`a seed is a whole number, got ${seed}`);
  return seed;
}

/** Used wherever no generator is given. */
export const defaultGenerator = new Generator();

/** Seeds the default generator. */
export function manualSeed(seed: number): Generator {
  return defaultGenerator.manualSeed(seed);
}
