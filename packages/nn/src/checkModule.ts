import { show } from '@gradgate/core/internal';
import { Module } from './module.js';

/** Refuses what is no module, in the name of `op`. */
export function checkModule(op: string, value: unknown): asserts value is Module {
  if (!(value instanceof Module)) throw new TypeError(`${op}: expected a Module, got ${show(value)}`);
}
