import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../bench/peers.mjs', import.meta.url));

it.each([
  [['--rounds', '0'], '--rounds takes a positive integer, got "0"'],
  [['--rounds', 'many'], '--rounds takes a positive integer, got "many"'],
  [['--peers', 'pytorch,numpy'], '--peers: no peer "numpy", there are gradgate, gradgate-2, '],
  [['--only', 'convolutoin'], '--only: no case holds "convolutoin", there are\n  product 32\n'],
  [['--write', '--only', 'product'], '--write takes a whole run, without --only and --peers'],
  [['--round', '3'], "Unknown option '--round'"],
  [['3'], "Unexpected argument '3'"],
])('%j is refused before anything is timed', (args, message) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  expect(stderr).toContain(message);
  expect(stderr).toContain('usage: node bench/peers.mjs');
  expect(stdout).toBe('');
  expect(status).toBe(2);
});
