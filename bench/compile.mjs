/**
 * What `compile` saves: each case of `bench/peers` that trains or infers, run eagerly, under `tidy` and compiled, interleaved
 * in one process.
 *
 *   node bench/compile.mjs [part of a name...]        microseconds, medians of 7 rounds
 */
import { compile } from '../packages/core/dist/compile/index.js';
import { tidy } from '../packages/core/dist/index.js';
import { factor, median, table } from './peers/figures.mjs';
import { cases } from './peers/gradgate.mjs';

const wanted = process.argv.slice(2);
const steps = /train|infer under|forward and backward/;
const names = Object.keys(cases).filter((name) =>
  wanted.length === 0 ? steps.test(name) : wanted.some((part) => name.includes(part)),
);

/** Milliseconds for a call, measured over at least this many in all. */
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
  const runs = [plain, tidy.wrap(() => void plain()), compile(() => void plain())];
  const times = runs.map(() => []);
  for (let round = -1; round < 7; round++)
    for (const [i, run] of runs.entries()) {
      const took = time(run);
      // During the first round the engine compiles.
      if (round >= 0) times[i].push(took);
    }
  const [alone, ...others] = times.map(median);
  const { breaks } = runs[2].explain();
  const why = breaks.map((b) => b.why).join();
  return [name, (alone * 1000).toFixed(1), ...others.map((ms) => factor(ms / alone)), why];
});
console.log(table(['', 'plain, us', 'tidy, ratio', 'compiled, ratio', ''], rows));
