/**
 * gradgate on the GPU beside TensorFlow.js (webgpu) and jax-js, interleaved, in one Chromium or in Node:
 *
 *   node bench/webgpuPeers.mjs [--in chromium|node] [--software] [--rounds 3] [--only TEXT] [--pack FILE]
 *
 * A call is timed until the GPU is done with it. With --software SwiftShader, which is part of Debian's Chromium, computes on the
 * CPU what a GPU would: its ratios say little of a GPU. --pack writes all that is needed elsewhere into one archive: see
 * docs/webgpu.md. The peers are installed into temporary folders, which the next run finds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compare } from './peers/compare.mjs';
import { bundle, copyPrograms } from './webgpu/bundles.mjs';
import { cases, libraries } from './webgpu/cases.mjs';

const usage =
  'usage: node bench/webgpuPeers.mjs [--in chromium|node] [--software] [--rounds N] [--only TEXT] [--pack FILE]';

function checked(args) {
  const text = { type: 'string' };
  const { values } = parseArgs({
    args,
    options: { in: text, rounds: text, only: text, pack: text, software: { type: 'boolean' } },
  });
  const { in: where = 'chromium', only = '', pack: file, software = false } = values;
  const rounds = Number(values.rounds ?? 3);
  if (where !== 'chromium' && where !== 'node') throw new RangeError(`--in takes chromium or node, got "${where}"`);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds takes a positive integer, got "${values.rounds}"`);
  const chosen = cases.filter((name) => name.includes(only));
  if (chosen.length === 0) throw new RangeError(`--only: no case holds "${only}", there are\n  ${cases.join('\n  ')}`);
  return { where, rounds, chosen, software, file };
}

let options;
try {
  options = checked(process.argv.slice(2));
} catch (error) {
  console.error(`${error.message}\n${usage}`);
  process.exit(2);
}

const { where, rounds, chosen, software, file } = options;
// Inside the workspace, so that the package webgpu is found by its name.
const folder = mkdtempSync(join(fileURLToPath(new URL('../node_modules', import.meta.url)), '.bench-webgpu-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const made = [];
for (const name of libraries) if (await bundle(name, folder)) made.push(name);
copyPrograms(folder);

if (file !== undefined) {
  const { pack } = await import('./webgpu/pack.mjs');
  console.log(`${file}: ${((await pack(folder, resolve(file))) / 2 ** 20).toFixed(1)} MiB`);
} else {
  if (software && where === 'node') process.env.VK_ICD_FILENAMES ??= '/usr/lib/chromium/vk_swiftshader_icd.json';
  const { peers, version, close } =
    where === 'node'
      ? await (await import('./webgpu/node.mjs')).inNode(folder, made)
      : await (await import('./webgpu/chromium.mjs')).inChromium(folder, made, software);
  if (peers.length > 0)
    console.log(await compare(peers, chosen, rounds, `${version}${software ? ' on SwiftShader' : ''}`));
  await close();
  if (peers.length === 0) process.exitCode = 1;
}
