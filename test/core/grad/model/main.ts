/** `run.mjs` bundles this for the runtimes that it is to run on. */
import * as api from '@gradgate/core/grad';
import { check } from './model.js';

const [count = '1000', seed] = process.argv.slice(2);
const programs = await check(api, { count: Number(count), seed: seed ? Number(seed) : undefined });
console.log(`${programs} programs, none wrong (modes follow async code: ${api.followsAsync})`);
