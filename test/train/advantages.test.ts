import { Generator, rand, tensor, zeros } from '@gradgate/core';
import { generalizedAdvantages } from '@gradgate/train';
import { describe, expect, it } from 'vitest';

const generator = new Generator(4);
const [count, environments] = [7, 2];
const random = () => rand([count, environments], { generator });
const [values, nextValues, rewards] = [random(), random(), random()];
const ends = (...places: [number, number][]) =>
  tensor(
    Array.from({ length: count }, (_, t) =>
      Array.from({ length: environments }, (_, w) => places.some(([a, b]) => a === t && b === w)),
    ),
  );
const [terminated, truncated] = [ends([2, 0]), ends([4, 1], [5, 0])];

/** Equation 16 of the paper as it stands: the sum over all later errors of the same episode. */
function byDefinition(gamma: number, lambda: number): number[][] {
  const at = (t: typeof values, i: number, w: number) => Number(t.at(i, w).item());
  const error = (i: number, w: number) =>
    at(rewards, i, w) + (at(terminated, i, w) ? 0 : gamma * at(nextValues, i, w)) - at(values, i, w);
  return Array.from({ length: count }, (_, t) =>
    Array.from({ length: environments }, (_, w) => {
      let sum = 0;
      for (let i = t; i < count; i++) {
        sum += (gamma * lambda) ** (i - t) * error(i, w);
        if (at(terminated, i, w) || at(truncated, i, w)) break;
      }
      return sum;
    }),
  );
}

describe('generalizedAdvantages', () => {
  it.each([
    [0.99, 0.95],
    [0.9, 0],
    [1, 1],
    [0, 0.5],
  ])('is the sum over later errors of the episode, with gamma %d and lambda %d', (gamma, lambda) => {
    const steps = { values, nextValues, rewards, terminated, truncated };
    const { advantages, returns } = generalizedAdvantages(steps, { gamma, lambda });
    expect(
      advantages
        .sub(tensor(byDefinition(gamma, lambda)))
        .abs()
        .max()
        .item(),
    ).toBeLessThan(1e-6);
    expect(returns.sub(advantages).sub(values).abs().max().item()).toBeLessThan(1e-6);
  });

  it('takes one environment without a dimension, ends as numbers, and no limits of time', () => {
    const steps = {
      values: tensor([1, 2]),
      nextValues: tensor([2, 9]),
      rewards: tensor([1, 1]),
      terminated: tensor([0, 1]),
    };
    const { advantages } = generalizedAdvantages(steps, { gamma: 0.5, lambda: 0.5 });
    expect(advantages.toArray()).toEqual([0.75, -1]);
  });

  it('shifts and scales advantages where asked to, and not the returns', () => {
    const steps = { values, nextValues, rewards, terminated, truncated };
    const plain = generalizedAdvantages(steps);
    const { advantages, returns } = generalizedAdvantages(steps, { normalize: true });
    const numbers = (plain.advantages.toArray() as number[][]).flat();
    const mean = numbers.reduce((a, b) => a + b) / numbers.length;
    const deviation = Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length);
    const expected = numbers.map((x) => (x - mean) / deviation);
    const found = (advantages.toArray() as number[][]).flat();
    expect(Math.max(...found.map((x, i) => Math.abs(x - expected[i]!)))).toBeLessThan(1e-5);
    expect(returns.toArray()).toEqual(plain.returns.toArray());
    const one = { values: tensor([1]), nextValues: tensor([2]), rewards: tensor([1]), terminated: tensor([0]) };
    expect(generalizedAdvantages(one, { normalize: true }).advantages.toArray()).toEqual([0]);
  });

  it('records nothing', () => {
    const learned = values.clone().requiresGrad_();
    const { advantages, returns } = generalizedAdvantages({ values: learned, nextValues, rewards, terminated });
    expect([advantages.requiresGrad, returns.requiresGrad]).toEqual([false, false]);
  });

  it('refuses what does not fit', () => {
    const steps = { values, nextValues, rewards, terminated };
    expect(() => generalizedAdvantages({ ...steps, rewards: zeros([7]) })).toThrow(
      'generalizedAdvantages: all tensors must have the same shape, [steps] or [steps, environments]; got [7] for rewards and [7, 2] for values',
    );
    expect(() => generalizedAdvantages({ ...steps, nextValues: undefined as never })).toThrow(
      /nextValues must be a Tensor/,
    );
    expect(() => generalizedAdvantages(null as never)).toThrow(/the steps must be an object/);
    expect(() => generalizedAdvantages(steps, { gamma: 1.1 })).toThrow(/gamma must be a number from 0 to 1/);
    expect(() => generalizedAdvantages(steps, { lamda: 1 } as never)).toThrow(/did you mean 'lambda'/);
  });
});
