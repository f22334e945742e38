import { execFileSync } from 'node:child_process';
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
});
