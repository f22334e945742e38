import { type Tensor, tensor, zeros } from '@gradgate/core';
import { Collector, type Environment, VectorEnvironments } from '@gradgate/train';
import { describe, expect, it } from 'vitest';

/** Adds up its actions: over from 3 on, or broken off by itself at exactly 2. */
class Counter implements Environment {
  count = 0;
  constructor(private readonly breaksOff = false) {}

  reset() {
    this.count = 0;
    return [0];
  }

  step(action: number) {
    this.count += action;
    return {
      observation: [this.count],
      reward: action,
      terminated: this.count >= 3,
      truncated: this.breaksOff && this.count === 2,
    };
  }
}

const act = () => tensor([1, 2], { dtype: 'int64' });
const lists = (tensors: object) =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, (t as Tensor).toArray()]));

describe('VectorEnvironments', () => {
  it('starts an environment anew in the step that ends its episode, and tells what it was like at the end', () => {
    const environments = new VectorEnvironments(() => new Counter(), 2);
    expect(environments.reset().toArray()).toEqual([[0], [0]]);
    environments.step(act());
    expect(lists(environments.step(act()))).toEqual({
      observations: [[2], [0]],
      rewards: [1, 2],
      terminated: [false, true],
      truncated: [false, false],
      finalObservations: [[2], [4]],
    });
    expect(environments.step(act()).observations.toArray()).toEqual([[0], [2]]);
    expect(environments.reset().toArray()).toEqual([[0], [0]]);
  });

  it('breaks episodes off after maxEpisodeSteps, but none that is over by itself', () => {
    const environments = new VectorEnvironments(() => new Counter(), 2, { maxEpisodeSteps: 2 });
    environments.reset();
    environments.step(act());
    const { terminated, truncated, observations, finalObservations } = environments.step(act());
    expect([terminated, truncated].map((t) => t.toArray())).toEqual([
      [false, true],
      [true, false],
    ]);
    expect(observations.toArray()).toEqual([[0], [0]]);
    expect(finalObservations!.toArray()).toEqual([[2], [4]]);
  });

  it('has environments that break off by themselves', () => {
    const environments = new VectorEnvironments(() => new Counter(true), 2);
    environments.reset();
    expect(environments.step(act()).truncated.toArray()).toEqual([false, true]);
  });

  it('is what a Collector acts in', () => {
    const { episodes, ...experience } = new Collector(new VectorEnvironments(() => new Counter(), 2), act).collect(4);
    expect(lists(experience)).toMatchObject({
      observations: [
        [[0], [0]],
        [[1], [2]],
        [[2], [0]],
        [[0], [2]],
      ],
      nextObservations: [
        [[1], [2]],
        [[2], [4]],
        [[3], [2]],
        [[1], [4]],
      ],
      terminated: [
        [false, false],
        [false, true],
        [true, false],
        [false, true],
      ],
    });
    expect(episodes).toEqual([
      { reward: 4, length: 2 },
      { reward: 3, length: 3 },
      { reward: 4, length: 2 },
    ]);
  });

  it('gives each environment its row of the actions, and takes tensors as what is seen', () => {
    const given: unknown[] = [];
    const environment: Environment = {
      reset: () => zeros([2, 3]),
      step: (action) => {
        given.push(action);
        return { observation: zeros([2, 3]), reward: 0, terminated: false };
      },
    };
    const environments = new VectorEnvironments(() => environment, 2);
    expect(environments.reset().shape).toEqual([2, 2, 3]);
    const actions = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(environments.step(actions).observations.shape).toEqual([2, 2, 3]);
    expect(given).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('refuses what it cannot use, by name', () => {
    const make = () => new Counter();
    const environments = new VectorEnvironments(make, 2);
    expect(() => new VectorEnvironments(make() as never, 2)).toThrow(/VectorEnvironments: make must be a function/);
    for (const count of [0, 2 ** 40])
      expect(() => new VectorEnvironments(make, count)).toThrow(
        /count must be a whole number above 0, at most 1000000/,
      );
    expect(() => new VectorEnvironments(make, 2, { steps: 3 } as never)).toThrow(/there is no option 'steps'/);
    expect(() => new VectorEnvironments(() => ({}) as never, 2)).toThrow(
      /the result of make must be an object with reset\(\)/,
    );
    expect(() => environments.step(act())).toThrow(/step: call reset\(\) before/);
    environments.reset();
    expect(() => environments.step(tensor([1, 2, 3]))).toThrow(
      /actions must be \[2, ...\], one for each environment, got \[3\]/,
    );
    expect(() => environments.step(tensor(1))).toThrow(
      /actions must be \[2, ...\], one for each environment, got \[\]/,
    );
    const wrong = new VectorEnvironments(() => ({ reset: () => [0], step: () => [1, 2] as never }), 2);
    wrong.reset();
    expect(() => wrong.step(act())).toThrow(
      /what step of environment 0 gives must be \{ observation, reward, terminated \}/,
    );
    const differing = [[0], [0, 0]];
    const unequal = new VectorEnvironments(
      () => ({ ...new Counter(), reset: () => differing.pop()!, step: () => null as never }),
      2,
    );
    expect(() => unequal.reset()).toThrow(/environments of one kind see the same shape, got \[2\], \[1\]/);
  });
});
