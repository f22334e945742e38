import type { Tensor } from '@gradgate/core';
import { check, checkOptions, type Kind, type Schema, show } from '@gradgate/core/internal';
import { readsFields } from '../members.js';
import { Module } from '../module.js';

/** A module without parameters: a function of one tensor, with its other arguments stored. */
export class Layer extends Module {
  override forward(_x: Tensor): Tensor {
    throw new TypeError(`${this.constructor.name}: has no forward(); define it in the class`);
  }
}

const showOption = (option: unknown): string => {
  if (typeof option !== 'object' || option === null || Array.isArray(option)) return JSON.stringify(option) ?? '';
  return Object.entries(option)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ');
};

/** The check of an argument of a layer, or the checks of its options. */
export type Takes = Kind | Schema<any>;

const isKind = (takes: Takes): takes is Kind => typeof takes['is'] === 'function';

/** Checks a layer's arguments when it is made, rather than at its first call. */
function checkArguments(name: string, args: readonly unknown[], takes: readonly Takes[]): void {
  if (args.length > takes.length) {
    const most = takes.length === 0 ? 'no arguments' : `at most ${takes.length}`;
    throw new TypeError(`${name}: takes ${most}, got ${args.map(show).join(', ')}`);
  }
  takes.forEach((kind, i) => {
    if (!isKind(kind)) checkOptions(name, args[i] as object | undefined, kind);
    else if (i >= args.length && !kind.is(undefined))
      throw new TypeError(`${name}: argument ${i + 1} is missing; it must be ${kind.text}`);
    else check(name, `argument ${i + 1}`, args[i], kind);
  });
}

/**
 * Makes the module class of `f`. Its constructor takes the arguments of `f` after the input, so that the two never
 * differ; `takes` has their checks.
 */
export function layerOf<A extends unknown[]>(
  f: (x: Tensor, ...options: A) => Tensor,
  ...takes: readonly Takes[]
): new (
  ...options: A
) => Layer {
  return class Made extends Layer {
    readonly options: A;

    constructor(...options: A) {
      super();
      checkArguments(new.target.name, options, takes);
      this.options = options;
    }

    override get [readsFields](): Layer['forward'] {
      return Made.prototype.forward;
    }

    override forward(x: Tensor): Tensor {
      return f(x, ...this.options);
    }

    override extraRepr(): string {
      return this.options
        .filter((o) => o !== undefined)
        .map(showOption)
        .join(', ');
    }
  };
}
