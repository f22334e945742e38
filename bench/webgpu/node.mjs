import { join } from 'node:path';
import { start } from '../peers/process.mjs';

/** The libraries with modules in a folder, each in a process of its own. */
export async function inNode(folder, libraries) {
  const peers = [];
  for (const id of libraries) {
    const peer = await start({ id, args: [join(folder, 'run.mjs'), id] });
    if (peer) peers.push(peer);
  }
  return { peers, version: `Node ${process.versions.node}`, close: () => peers.forEach((peer) => void peer.stop()) };
}
