import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Runs a built example as a user does and gives what it prints; throws unless it ends well. */
function run(name: string, ...args: string[]): string {
  const file = fileURLToPath(new URL(`../../examples/dist/${name}.js`, import.meta.url));
  return execFileSync(process.execPath, [file, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('conditional-no-grad', () => {
  const lines = run('conditional-no-grad').split('\n');
  const linesAfter = (title: string, n: number) =>
    lines.slice(lines.indexOf(title) + 1, lines.indexOf(title) + 1 + n).map((l) => l.trim());

  it('switches gradients off inside if the condition holds, and restores them', () => {
    expect(linesAfter('The condition holds: gradients are off inside', 3)).toEqual([
      'before:  gradients on',
      'inside:  gradients off, output requires grad: false',
      'after:   gradients on',
    ]);
  });

  it('leaves the mode of the outside if the condition does not hold', () => {
    expect(linesAfter('The condition does not hold: inside is as outside', 3)).toEqual([
      'before:  gradients on',
      'inside:  gradients on, output requires grad: true',
      'after:   gradients on',
    ]);
  });

  it('restores after an exception, and lets the outer context decide', () => {
    expect(lines.map((l) => l.trim())).toEqual(
      expect.arrayContaining([
        'caught:  gradients on, the same error: true',
        'noGrad(false) inside noGrad:  gradients off',
        'enableGrad inside noGrad:     gradients on',
        'outside:                      gradients on',
        'inferring = false  output requires grad: true',
        'inferring = true   output requires grad: false',
      ]),
    );
  });
});

it('compiled trains to the same losses with its step compiled as without', () => {
  const out = run('compiled', '--epochs', '1', '--batches', '40');
  expect(out).toMatch(/as it is, epoch 1: loss \d.*\ncompiled, epoch 1: loss \d/);
  expect(out).toContain('the losses are equal to the last bit');
});

describe('mnist', () => {
  it('learns in one epoch, and its evaluation records no graph', () => {
    const out = run('mnist', '--epochs', '1', '--seed', '3');
    expect(Number(/test accuracy ([\d.]+)%/.exec(out)![1])).toBeGreaterThan(94);
    expect(out).toContain('classify() under @noGrad recorded no graph');
    expect(out).toMatch(/frozen = false: graph of relu\n.*frozen = true: no graph/);
  });

  it.each([
    ['--epochs', '0'],
    ['--batch-size', '1.5'],
    ['--lr', 'fast'],
    ['--seed', 'x'],
  ])('refuses %s %s before it loads anything', (...args) => {
    expect(() => run('mnist', ...args)).toThrow(new RegExp(`${args[0]} takes`));
  });
});

describe('regimes that grad control is for', () => {
  it('fine-tuning: the frozen backbone is not recorded and does not move, and the head learns', () => {
    const out = run('regimes/frozenBackbone');
    expect(out).toContain('pretraining: the backbone was recorded in 80 of 80 steps');
    const [before, after] = [...out.matchAll(/accuracy ([\d.]+)/g)].slice(1).map(([, v]) => Number(v));
    expect(after! - before!).toBeGreaterThan(0.1);
    expect(out).toMatch(/fine-tuning: the backbone was recorded in 0 of 80 steps.*backbone unchanged/);
  });

  it('a target network gives values without taking gradients', () => {
    const out = run('regimes/targetNetwork');
    expect(out).toContain('policy: right right right right right right');
    expect(out).toContain('the target network got no gradients');
    // 0.9 to the power of the five steps before the last.
    expect(Math.abs(Number(/first cell ([\d.]+)/.exec(out)![1]) - 0.59)).toBeLessThan(0.05);
  });

  it('accumulated gradients make the step of the whole batch', () => {
    expect(run('regimes/gradientAccumulation')).toContain('same step: true');
  });

  it('a GAN: detach keeps the discriminator out of the generator, which finds the ring', () => {
    const out = run('regimes/gan');
    expect(out).toContain('a step reached the other network 0 times');
    expect(Math.abs(Number(/([\d.]+) after/.exec(out)![1]) - 1)).toBeLessThan(0.2);
  });

  it('MAML: gradients go through a gradient step, and one step on a new curve fits it', () => {
    const [, before, after] = /curve: ([\d.]+) before meta-learning, ([\d.]+) after/.exec(run('regimes/maml'))!;
    expect(Number(before)).toBeGreaterThan(0.5);
    expect(Number(after)).toBeLessThan(0.25);
  });

  it('averaged weights are evaluated beside training, each evaluation with the weights that it began with', () => {
    const out = run('regimes/ema');
    expect(out).toContain('600 of 600 training steps were recorded');
    expect(out).toContain('0 of 120 evaluations beside them differ');
    const [, own, averaged] = /weights ([\d.]+), of their average ([\d.]+)/.exec(out)!;
    expect(Number(averaged)).toBeLessThan(0.8 * Number(own));
  });

  it('a metrics callback adds nothing to the graph, and its mode ends with it', () => {
    const out = run('regimes/metricsCallback');
    expect(out).toContain('recorded in the callback: 0 of 100 times');
    expect(out).toContain('the same: true');
    expect(out).toContain('gradients are on afterwards');
  });

  it('checkpoints keep a fraction of the memory, and the same gradients', () => {
    const out = run('regimes/checkpointing');
    const [without, withThem] = [...out.matchAll(/([\d.]+) MB/g)].map(([, v]) => Number(v));
    expect(withThem!).toBeLessThan(without! / 5);
    expect(out).toContain('gradients differ by at most 0');
  });
});

describe('whole programs', () => {
  it('csvRegression: stops early, and is nearer on the test set than a first epoch was', () => {
    const out = run('programs/csvRegression', '60');
    const [, error, first] = /: ([\d.]+) thousand off on the test set, at first ([\d.]+)/.exec(out)!;
    expect(Number(error)).toBeLessThan(Number(first) / 3);
    expect(out).toMatch(/^epoch 2\/60 {2}loss/m);
  });

  it('lstmForecast: two years are forecast from those before', () => {
    expect(Number(/off by ([\d.]+)%/.exec(run('programs/lstmForecast'))![1])).toBeLessThan(12);
  });

  it('textClassifier: tells kind words from unkind ones', () => {
    const out = run('programs/textClassifier');
    expect(out).toContain('The room was bright, a joy! kind\nDull food, and cold unkind');
    expect(Number(/epoch 12\/12 .* valAccuracy ([\d.]+)/.exec(out)![1])).toBeGreaterThan(0.9);
  });

  it('ppoCartPole: poles fall less often', () => {
    const falls = [...run('programs/ppoCartPole', '12').matchAll(/: (\d+) falls in/g)].map(([, n]) => Number(n));
    expect(falls).toHaveLength(12);
    expect(Math.min(...falls.slice(6))).toBeLessThan(falls[0]! / 3);
  });

  it('gan: generated points come near the ring', () => {
    const out = run('programs/gan');
    const [, before, after] = /radius ([\d.]+) before, ([\d.]+) after/.exec(out)!;
    expect(Math.abs(Number(after) - 1)).toBeLessThan(Math.min(0.35, Math.abs(Number(before) - 1)));
  });

  it('mamlServing: answers get better while it learns', () => {
    const errors = /off by ([\d., ]+)/.exec(run('programs/mamlServing'))![1]!.split(', ').map(Number);
    expect(errors).toHaveLength(5);
    expect(errors.at(-1)).toBeLessThan(errors[0]! / 2);
  });
});

it.each([
  ['csvRegression', 50],
  ['lstmForecast', 45],
  ['textClassifier', 35],
  ['ppoCartPole', 50],
  ['gan', 60],
  ['mamlServing', 65],
])('%s has %i lines of code at most', (name, most) => {
  const text = readFileSync(new URL(`../../examples/src/programs/${name}.ts`, import.meta.url), 'utf8');
  const code = text.split('\n').filter((line) => !/^\s*(\/\/|\/?\*|$)/.test(line));
  expect(code.length).toBeLessThanOrEqual(most);
});

describe('larger examples', () => {
  it('iris: more than nine in ten flowers are classified rightly over all folds', () => {
    const out = run('iris');
    expect(out).toContain('fold 5/5: 30 flowers');
    expect(Number(/mean accuracy ([\d.]+)%/.exec(out)![1])).toBeGreaterThan(92);
  });

  it('cnn: learns from a twentieth of the images', () => {
    const out = run('cnn', '--epochs', '2', '--images', '3000');
    expect(Number(/epoch 2\/2: .* accuracy ([\d.]+)%/.exec(out)![1])).toBeGreaterThan(93);
  });

  it('charTransformer: learns, and streams characters under noGrad to a reader that records', () => {
    const out = run('charTransformer', ...'--steps 60 --width 32 --context 32 --sample 120'.split(' '));
    const [, chance, loss] = /loss ([\d.]+) of chance, ([\d.]+) after/.exec(out)!;
    expect(Number(loss)).toBeLessThan(Number(chance) - 0.8);
    expect(out).toContain('120 characters written under @noGrad, the reader recorded 120 times');
  });
});

describe('mixed-train-eval', () => {
  it('trains and serves on one event loop without either seeing the other mode', () => {
    const out = run('mixed-train-eval');
    expect(out).toContain('neither saw the mode of the other');
    expect(out).toMatch(/training {3}gradients on +300 times, off +0 times/);
    expect(out).toMatch(/inference {2}gradients on +0 times, off +1200 times/);
  });
});

describe('legacy-decorators', () => {
  it('works as the standard dialect does, and keeps metadata', () => {
    const out = run('legacy-decorators/main');
    expect(out).toContain('forward requires grad: true');
    expect(out).toContain('frozen = false: embed requires grad: true');
    expect(out).toContain('frozen = true: embed requires grad: false');
    expect(out).toContain('isInferenceStep = false: score requires grad: true, true');
    expect(out).toContain('isInferenceStep = true: score requires grad: false, false');
    expect(out).toContain('embed: noGrad on a condition');
    expect(out).toContain('evaluate takes 1 argument');
  });

  it('nest: a NestJS server answers in its mode while its model trains in another', () => {
    const out = run('legacy-decorators/nest');
    const [, before, after] = /is ([-\d.]+) before training and ([\d.]+) after/.exec(out)!;
    expect(Math.abs(Number(before) - 0.75)).toBeGreaterThan(0.2);
    expect(Number(after)).toBeCloseTo(0.75, 1);
    const [, times] = /answered (\d+) times while it trained, recorded 0 times, the same twice: true/.exec(out)!;
    expect(Number(times)).toBeGreaterThan(1);
  });
});
