/**
 * gradgate beside its peers, interleaved:
 *
 *   node bench/peers.mjs [--rounds 5] [--only TEXT] [--peers NAME,NAME | --ways] [--write]
 *
 * Peers from npm are installed into temporary folders, which the next run finds; PyTorch is timed if python3 (or what
 * PYTHON names) has it, OpenBLAS if the system has the library. What is missing is said and left out. Prints medians in
 * microseconds and ratios, the goals, start-up times and memory; with --write they go into docs/performance.md. `--ways`
 * compares eager steps, compiled ones and native kernels with PyTorch only, and takes some minutes.
 */
import { fileURLToPath } from 'node:url';
import { memoryTable, memoryUse } from './memory.mjs';
import { Figures, factor, microseconds, table, writeInto } from './peers/figures.mjs';
import { goalsTable, sharesTable } from './peers/goals.mjs';
import { cases } from './peers/gradgate.mjs';
import { peers as known } from './peers/list.mjs';
import { flopsOf } from './peers/names.mjs';
import { optionsOf } from './peers/options.mjs';
import { flops as flopsOfPeak } from './peers/peak.mjs';
import { startUpTable, startUpTimes } from './startup.mjs';

const options = optionsOf(process.argv.slice(2), Object.keys(known), [...Object.keys(cases), 'start-up', 'memory']);
const { rounds, only } = options;
const names = Object.keys(cases).filter((name) => name.includes(only));
const say = (text) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);

/** Milliseconds of the longest warm-up; the children read it. */
if (options.ways) process.env.GRADGATE_BENCH_WARM_UP ??= '600';

const running = [];
if (names.length > 0)
  for (const id of options.peers) {
    const peer = await known[id].start(id);
    if (peer) running.push(peer);
    else if (id === 'gradgate') process.exit(1);
  }
const peak = running.find(({ id }) => id === 'peak');
const timed = running.filter((peer) => peer !== peak);

const figures = new Figures();
/** Peers that take more than half a second a call are timed in the first round only: else most of the time would be theirs. */
const slow = new Set();

/** All peers, one after the other; the machine's peak right before and after ours, the better of the two: it is a limit. */
async function timeCase(name, round) {
  const flops = peak && flopsOf(name);
  const before = flops && (await peak.ask('multiply-adds'));
  for (const peer of timed) {
    const key = `${name} ${peer.id}`;
    const ms = slow.has(key) ? null : await peer.ask(name);
    if (ms === null) continue;
    figures.add(name, peer.id, round, ms);
    if (ms > 500) slow.add(key);
    if (flops && peer.id === 'gradgate') {
      const after = await peak.ask('multiply-adds');
      figures.add(name, 'peak', round, (Math.min(before, after) * flops) / flopsOfPeak);
    }
  }
}

for (let round = 0; round < rounds; round++)
  for (const name of names) {
    say(`round ${round + 1} of ${rounds}: ${name}`);
    await timeCase(name, round);
  }
for (const peer of running) peer.stop();
const wants = (section) => !options.ways && section.includes(only);
if (wants('start-up')) say('start-up');
const startUp = wants('start-up') ? startUpTimes(Math.max(rounds, 7)) : [];
if (wants('memory')) say('memory');
const memory = wants('memory') ? memoryUse(Math.min(rounds, 3)) : [];
if (process.stderr.isTTY) say('');

function caseRow(name) {
  const own = figures.time(name, 'gradgate');
  const cells = running.map(({ id }) => {
    const ms = figures.time(name, id);
    if (id === 'gradgate' || ms === null) return ms === null ? '' : microseconds(ms);
    return `${microseconds(ms)} (${factor(figures.ratio([name, id], [name, 'gradgate']))})`;
  });
  return own === null ? [name] : [name, ...cells];
}
const versions = new Map(
  running.filter(({ version }) => version).map(({ id, version }) => [known[id].library, version]),
);
const conditions = [
  `Node ${process.versions.node}`,
  ...[...versions].map((pair) => pair.join(' ')),
  `medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`,
].join(', ');
const texts = {};
const shares = sharesTable(figures, names);
if (names.length > 0) {
  const head = ["microseconds (times gradgate's)", ...running.map(({ id }) => known[id].title)];
  const times = [table(head, names.map(caseRow)), '', `${conditions}.`].join('\n');
  if (options.ways) texts.ways = [times, shares].filter((text) => text !== null).join('\n\n');
  else texts.peers = times;
}
const goals = [goalsTable(figures, names, memory), shares].filter((text) => text !== null);
if (goals.length > 0 && !options.ways) texts.goals = goals.join('\n\n');
if (startUp.length > 0) texts['start-up'] = startUpTable(startUp);
if (memory.length > 0) texts.memory = memoryTable(memory);
for (const text of Object.values(texts)) console.log(`${text}\n`);
if (options.write) writeInto(fileURLToPath(new URL('../docs/performance.md', import.meta.url)), texts);
