import type { PackedTensor } from '@gradgate/core';

/** What the worker tells the page. */
export type Message =
  | { kind: 'epoch'; epoch: number; loss: number }
  | { kind: 'done'; weight: PackedTensor; bias: PackedTensor };
