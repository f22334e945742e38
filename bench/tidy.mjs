/**
 * What `tidy` saves: each case of `bench/peers` as it is and inside of `tidy`, interleaved in one process.
 *
 *   node bench/tidy.mjs [part of a name...]        microseconds, medians of 7 rounds
 */
import { tidy } from '../packages/core/dist/index.js';
import { factor, median, table } from './peers/figures.mjs';
import { cases } from './peers/gradgate.mjs';

const wanted = process.argv.slice(2);
const names = Object.keys(cases).filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

/** Milliseconds of a call, over at least so many in all. */
function time(run, least = 200) {
  const start = performance.now();
  let calls = 0;
  do {
    run();
    calls++;
  } while (performance.now() - start < least);
  return (performance.now() - start) / calls;
}

const rows = names.map((name) => {
  const plain = cases[name]();
  const tidied = tidy.wrap(() => void plain());
  const times = [[], []];
  for (let round = -1; round < 7; round++)
    for (const [i, run] of [plain, tidied].entries()) {
      const took = time(run);
      // The first round is for the engine to compile.
      if (round >= 0) times[i].push(took);
    }
  const [alone, inTidy] = times.map(median);
  return [name, ...[alone, inTidy].map((ms) => (ms * 1000).toFixed(1)), factor(inTidy / alone)];
});
console.log(table(['', 'plain, us', 'tidy, us', 'ratio'], rows));
