import type { Tensor } from '@gradgate/core';
import { Module } from '../module.js';

/** Modules in a row: each takes what the one before gives. They are its fields '0', '1', ... */
export class Sequential extends Module {
  [index: number]: Module;

  constructor(...modules: Module[]) {
    super();
    modules.forEach((module, i) => {
      if (!(module instanceof Module))
        throw new TypeError(`Sequential: argument ${i} is not a Module, got ${typeof module}`);
      this[i] = module;
    });
  }

  override forward(x: Tensor): Tensor {
    for (const module of this.children()) x = module(x);
    return x;
  }
}
