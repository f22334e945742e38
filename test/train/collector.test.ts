import { isGradEnabled, type Tensor, tensor, zeros } from '@gradgate/core';
import { Collector, type Environments, type Transition } from '@gradgate/train';
import { describe, expect, it } from 'vitest';

/** Two counters that add up their actions: over at 3, broken off after `limit` steps. */
class Counters implements Environments {
  private counts = [0, 0];
  private ages = [0, 0];
  resets = 0;

  constructor(
    private readonly limit = 100,
    private readonly change: (transition: Transition) => unknown = (transition) => transition,
  ) {}

  private seen(counts: number[]): Tensor {
    return tensor(counts.map((n) => [n]));
  }

  reset(): Tensor {
    this.resets++;
    return this.seen(this.counts);
  }

  step(actions: Tensor): Transition {
    const last = this.counts.map((n, i) => n + Number(actions.at(i).item()));
    this.ages = this.ages.map((age) => age + 1);
    const terminated = last.map((n) => n >= 3);
    const truncated = this.ages.map((age, i) => !terminated[i] && age === this.limit);
    const over = terminated.map((end, i) => end || truncated[i]!);
    this.counts = last.map((n, i) => (over[i] ? 0 : n));
    this.ages = this.ages.map((age, i) => (over[i] ? 0 : age));
    return this.change({
      observations: this.seen(this.counts),
      rewards: tensor(last),
      terminated: tensor(terminated),
      truncated: tensor(truncated),
      finalObservations: this.seen(last),
    }) as Transition;
  }
}

const act = (seen: Tensor) => tensor([1, 2]).to(seen.dtype);

describe('Collector', () => {
  it('gives what was seen, done and gained by step and environment', () => {
    const { episodes, ...all } = new Collector(new Counters(), act).collect(3);
    expect(Object.fromEntries(Object.entries(all).map(([name, t]) => [name, t.toArray()]))).toEqual({
      observations: [
        [[0], [0]],
        [[1], [2]],
        [[2], [0]],
      ],
      actions: [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      rewards: [
        [1, 2],
        [2, 4],
        [3, 2],
      ],
      terminated: [
        [false, false],
        [false, true],
        [true, false],
      ],
      truncated: [
        [false, false],
        [false, false],
        [false, false],
      ],
      nextObservations: [
        [[1], [2]],
        [[2], [4]],
        [[3], [2]],
      ],
    });
    expect(episodes).toEqual([
      { reward: 6, length: 2 },
      { reward: 6, length: 3 },
    ]);
  });

  it('goes on where it ended, in the middle of an episode', () => {
    const environments = new Counters();
    const parts = new Collector(environments, act);
    const [first, second] = [parts.collect(2), parts.collect(3)];
    const whole = new Collector(new Counters(), act).collect(5);
    expect(first.observations.cat([second.observations]).toArray()).toEqual(whole.observations.toArray());
    expect([...first.episodes, ...second.episodes]).toEqual(whole.episodes);
    expect(environments.resets).toBe(1);
  });

  it('tells episodes that were broken off, and what they led to', () => {
    const { truncated, nextObservations, episodes } = new Collector(new Counters(1), act).collect(1);
    expect([truncated.toArray(), nextObservations.toArray()]).toEqual([[[true, true]], [[[1], [2]]]]);
    expect(episodes).toEqual([
      { reward: 1, length: 1 },
      { reward: 2, length: 1 },
    ]);
  });

  it('acts without gradients, and gives the mode back', () => {
    const modes: boolean[] = [];
    new Collector(new Counters(), (seen) => {
      modes.push(isGradEnabled());
      return act(seen);
    }).collect(2);
    expect([...modes, isGradEnabled()]).toEqual([false, false, true]);
  });

  it.each<[string, (transition: Transition) => unknown, RegExp]>([
    ['nothing', () => undefined, /the result of step must be an object, got undefined/],
    ['no rewards', (t) => ({ ...t, rewards: undefined }), /rewards must be a Tensor, got undefined/],
    [
      'rewards of other environments',
      (t) => ({ ...t, rewards: zeros([3]) }),
      /rewards must be \[2\], a number for each environment, got \[3\]/,
    ],
    [
      'ends of more dimensions',
      (t) => ({ ...t, terminated: zeros([2, 1]) }),
      /terminated must be \[2\].* got \[2, 1\]/,
    ],
    ['no observations', (t) => ({ ...t, observations: [1] }), /expected a Tensor/],
    [
      'a limit without an end',
      (t) => ({ ...t, finalObservations: undefined }),
      /environment 0 was truncated.*finalObservations/,
    ],
  ])('refuses a step that gives %s', (_, change, message) => {
    const collector = new Collector(new Counters(1, change), act);
    expect(() => collector.collect(2)).toThrow(message);
    expect(() => collector.collect(2)).toThrow(/^Collector.collect: /);
  });

  it('refuses what is no environment, no agent and no number of steps', () => {
    expect(() => new Collector({} as never, act)).toThrow(
      /environments must be an object with reset\(\) and step\(actions\)/,
    );
    expect(() => new Collector(new Counters(), null as never)).toThrow(/Collector: act must be/);
    const collector = new Collector(new Counters(), (() => [1, 2]) as never);
    expect(() => collector.collect(0)).toThrow(/steps must be a whole number above 0/);
    expect(() => new Collector(new Counters(), act).collect(2 ** 40)).toThrow(/^Collector.collect: .* at most 2\^32/);
    expect(() => collector.collect(1)).toThrow(/Collector.collect: expected a Tensor/);
    const empty = { reset: () => tensor(1), step: () => undefined as never };
    expect(() => new Collector(empty, act).collect(1)).toThrow(/reset must return \[environments, \.\.\.\], got \[\]/);
  });
});
