import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../bench/peers.mjs', import.meta.url));

it.each([
  [['--rounds', '0'], '--rounds takes a positive integer, got "0"'],
  [['--rounds', 'many'], '--rounds takes a positive integer, got "many"'],
  [['--peers', 'pytorch,numpy'], '--peers: no peer "numpy", there are gradgate, gradgate-2, '],
  [['--only', 'convolutoin'], '--only: no case holds "convolutoin", there are\n  product 32\n'],
  [['--write', '--only', 'product'], '--write takes all cases, and all peers or --ways'],
  [['--ways', '--peers', 'pytorch'], '--ways says which peers there are; leave out --peers'],
  [['--round', '3'], "Unknown option '--round'"],
  [['3'], "Unexpected argument '3'"],
])('%j is refused before anything is timed', (args, message) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  expect(stderr).toContain(message);
  expect(stderr).toContain('usage: node bench/peers.mjs');
  expect(stdout).toBe('');
  expect(status).toBe(2);
});

it('goals in times of PyTorch: the worst case of each way, bold where it is above the goal, and no row without figures', async () => {
  const load = (file: string) => import(new URL(`../../bench/peers/${file}.mjs`, import.meta.url).href);
  const [{ Figures }, { sharesTable }] = [await load('figures'), await load('goals')];
  const figures = new Figures();
  const names = ['add 1e3', 'sum 1e3', 'CNN 28x28, batch 32, train'];
  expect(sharesTable(figures, names)).toBe(null);
  const times = { pytorch: 2, gradgate: 4, 'gradgate-native-compiled': 3, 'gradgate-native-tidy': 1 };
  for (const [peer, ms] of Object.entries(times)) {
    figures.add('add 1e3', peer, 0, ms);
    figures.add('sum 1e3', peer, 0, peer === 'gradgate' ? 6 : ms);
  }
  expect(sharesTable(figures, names).split('\n').slice(2)).toEqual([
    '| add, exp, sum | **3.00** (at most 2.5, sum 1e3) |  | 0.50 (at most 1, add 1e3) |',
  ]);
});
