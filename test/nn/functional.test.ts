import * as core from '@gradgate/core';
import { functional } from '@gradgate/nn';
import { expect, it } from 'vitest';

it('exports functions only, and those of core as they are', () => {
  const all = Object.entries(functional);
  expect(all.filter(([name, value]) => typeof value !== 'function' || !/^[a-z]/.test(name))).toEqual([]);
  expect(all.filter(([name, value]) => name in core && core[name as keyof typeof core] !== value)).toEqual([]);
  // What makes tensors, reads them or sets modes is core's alone.
  for (const name of ['tensor', 'noGrad', 'backward', 'add']) expect(functional).not.toHaveProperty(name);
});
