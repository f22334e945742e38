import type { Tensor } from '@gradgate/core';
import { Module } from '../module.js';

/** A module without parameters: a function of one tensor with its options kept. */
export class Layer extends Module {
  override forward(_x: Tensor): Tensor {
    throw new TypeError(`${this.constructor.name} has no forward(); define it in the class`);
  }
}

const show = (option: unknown): string => {
  if (typeof option !== 'object' || option === null || Array.isArray(option)) return JSON.stringify(option) ?? '';
  return Object.entries(option)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ');
};

/** The module class of `f`: its constructor takes what `f` takes after the input, so that the two never differ. */
export function layerOf<A extends unknown[]>(f: (x: Tensor, ...options: A) => Tensor): new (...options: A) => Layer {
  return class extends Layer {
    readonly options: A;

    constructor(...options: A) {
      super();
      this.options = options;
    }

    override forward(x: Tensor): Tensor {
      return f(x, ...this.options);
    }

    override extraRepr(): string {
      return this.options
        .filter((o) => o !== undefined)
        .map(show)
        .join(', ');
    }
  };
}
