import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../bench/webgpuPeers.mjs', import.meta.url));

it.each([
  [['--rounds', '0'], '--rounds takes a positive integer, got "0"'],
  [['--in', 'firefox'], '--in takes chromium or node, got "firefox"'],
  [['--only', 'convolutoin'], '--only: no case holds "convolutoin", there are\n  product 256\n'],
  [['--softwear'], "Unknown option '--softwear'"],
])('%j is refused before anything is timed', (args, message) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  expect(stderr).toContain(message);
  expect(stderr).toContain('usage: node bench/webgpuPeers.mjs');
  expect(stdout).toBe('');
  expect(status).toBe(2);
});
