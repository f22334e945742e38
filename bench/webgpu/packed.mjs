// The program in an archive made by `node bench/webgpuPeers.mjs --pack`: runs all libraries, then bench/webgpu.mjs.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compare } from '../peers/compare.mjs';
import { cases, libraries } from './cases.mjs';
import { inNode } from './node.mjs';

const isQuick = process.argv.includes('--quick');
const folder = fileURLToPath(new URL('.', import.meta.url));
const there = new Set(readdirSync(folder));
const { peers, close } = await inNode(
  folder,
  libraries.filter((id) => there.has(`${id}.mjs`)),
);
const chosen = isQuick ? cases.filter((name) => /add|MLP.*train/.test(name)) : cases;
console.log(await compare(peers, chosen, isQuick ? 1 : 3, `Node ${process.versions.node}`));
close();
await import('./training.mjs');
process.exit(0);
