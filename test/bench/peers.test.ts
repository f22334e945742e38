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
    '| add, exp, sum | **3.00** (at most 2.5, sum 1e3) |  | 0.50 (at most 1, add 1e3) |  |',
  ]);
  figures.add('CNN 28x28, batch 32, train', 'pytorch', 0, 4);
  figures.add('CNN 28x28, batch 32, train', 'peak', 0, 3);
  expect(sharesTable(figures, names).split('\n')).toContain('| CNN, train |  |  |  | 0.75 |');
});

it('the products of a step are those that its kernels are called for', () => {
  const program = `
    import { cpu } from './packages/core/dist/backend/cpu.js';
    import { cases } from './bench/peers/gradgate.mjs';
    import { flopsOf } from './bench/peers/names.mjs';
    const { matmul } = cpu.kernels;
    let flops = 0;
    cpu.kernels.matmul = (a, transposeA, b, transposeB, out, bias) => {
      flops += 2 * out.numel * a.shape.at(transposeA ? -2 : -1);
      matmul(a, transposeA, b, transposeB, out, bias);
    };
    for (const name of Object.keys(cases).filter((name) => /^(MLP 784|transformer|attention|product 32)/.test(name))) {
      const run = cases[name]();
      run();
      flops = 0;
      run();
      console.log(name, flops === flopsOf(name));
    }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: new URL('../..', import.meta.url),
  });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    'product 32 true',
    'MLP 784-128-10, batch 64, train true',
    'MLP 784-128-10, batch 64, infer under @noGrad true',
    'MLP 784-128-10, batch 64, infer, recording true',
    'transformer layer 8x32x64, train true',
    'attention 8x4x64x32, forward and backward true',
  ]);
});
