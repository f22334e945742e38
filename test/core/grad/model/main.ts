/** `run.mjs` bundles this for the runtimes to test. */
import * as core from '@gradgate/core';
import { functionalCall, Module, Parameter } from '@gradgate/nn';
import { check } from './model.js';

const [count = '1000', seed] = process.argv.slice(2);
const programs = await check(
  { ...core, functionalCall, Module, Parameter },
  { count: Number(count), seed: seed ? Number(seed) : undefined },
);
console.log(`${programs} programs, none wrong (modes follow async code: ${core.followsAsync})`);
