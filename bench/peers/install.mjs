import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The npm packages of each peer. */
export const packages = {
  tfjs: ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0'],
  'tfjs-webgpu': ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-webgpu@4.22.0'],
  'jax-js': ['@jax-js/jax@0.1.25'],
  'numpy-ts': ['numpy-ts@1.7.0'],
  'js-pytorch': ['js-pytorch@0.7.2'],
};

const found = new Map();

/**
 * A folder outside the workspace where these packages can be imported, made at the first call and kept for later runs. Null,
 * after a line on standard error, if npm cannot install them.
 */
export function install(peer) {
  if (!found.has(peer)) found.set(peer, folderOf(peer));
  return found.get(peer);
}

function folderOf(peer) {
  const version = packages[peer][0].split('@').at(-1);
  const folder = join(tmpdir(), `gradgate-peers-${peer}-${version}`);
  if (existsSync(folder)) return folder;
  console.error(`installing ${packages[peer].join(' and ')}`);
  // Renamed when it is complete, so that an interrupted run leaves nothing that looks complete.
  const half = mkdtempSync(`${folder}-`);
  try {
    writeFileSync(join(half, 'package.json'), '{}');
    writeFileSync(join(half, 'load.mjs'), 'export default (name) => import(name);\n');
    const flags = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts'];
    execFileSync('npm', ['install', ...flags, ...packages[peer]], { cwd: half, stdio: 'ignore' });
    renameSync(half, folder);
    return folder;
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    if (existsSync(folder)) return folder;
    console.error(`${peer}: npm cannot install it (${String(error.message).split('\n')[0]})`);
    return null;
  }
}
