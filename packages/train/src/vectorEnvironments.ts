import { type NestedArray, ShapeError, stack, Tensor, tensor } from '@gradgate/core';
import { check, checkOptions, checkTensors, is } from '@gradgate/core/internal';
import type { Environments, Transition } from './collector.js';

/** What an agent observes: numbers, nested or not, or a tensor. */
export type Observation = NestedArray | Tensor;

/** A single environment that an agent acts in, like those of Gymnasium. */
export interface Environment {
  /** Starts a new episode; returns the observation. */
  reset(): Observation;
  /** Takes an action: this environment's part of the actions, a number or nested arrays of them. */
  step(action: any): Outcome;
}

/** The result of an action. */
interface Outcome {
  /** The observation after the action. */
  observation: Observation;
  reward: number;
  /** Whether the action ended the episode. */
  terminated: boolean;
  /** Whether the episode was cut off; false by default. */
  truncated?: boolean;
}

/** They are stepped one by one, so more would not end. */
const countKind = {
  text: 'a whole number above 0, at most 1000000',
  is: (v: unknown) => is.count.is(v) && (v as number) <= 1e6,
};

/**
 * `count` environments of one kind side by side, for a `Collector`; one whose episode ends starts a new one in the same
 * step. `make` makes each of them. With `maxEpisodeSteps` an episode is cut off after so many steps.
 *
 * ```ts
 * const carts = new VectorEnvironments(() => new CartPole(), 8, { maxEpisodeSteps: 500 });
 * const collector = new Collector(carts, (observations) => agent.act(observations));
 * ```
 */
export class VectorEnvironments implements Environments {
  private readonly environments: readonly Environment[];
  private readonly maxEpisodeSteps: number;
  private ages: number[] = [];

  constructor(make: () => Environment, count: number, options?: { maxEpisodeSteps?: number }) {
    check(op, 'make', make, is.callback);
    check(op, 'count', count, countKind);
    const { maxEpisodeSteps = Number.POSITIVE_INFINITY } = checkOptions(op, options, { maxEpisodeSteps: is.count });
    this.maxEpisodeSteps = maxEpisodeSteps;
    this.environments = Array.from({ length: count }, () => {
      const environment = make();
      check(op, 'the result of make', environment, environmentKind);
      return environment;
    });
  }

  /** Starts new episodes in all environments; returns the observations `[count, ...]`. */
  reset(): Tensor {
    this.ages = this.environments.map(() => 0);
    return together(this.environments.map((environment) => environment.reset()));
  }

  /** Takes an action in each environment; `actions` are `[count, ...]`. */
  step(actions: Tensor): Transition {
    checkTensors(`${op}.step`, actions);
    const count = this.environments.length;
    if (this.ages.length === 0) throw new TypeError(`${op}.step: call reset() before`);
    if (actions.shape[0] !== count)
      throw new ShapeError(
        `${op}.step`,
        `actions must be [${count}, ...], one for each environment, got [${actions.shape.join(', ')}]`,
      );
    const each = actions.toArray() as unknown[];
    const steps = this.environments.map((environment, i) => {
      const step = environment.step(each[i]);
      check(`${op}.step`, `what step of environment ${i} gives`, step, outcomeKind);
      return step;
    });
    this.ages = this.ages.map((age) => age + 1);
    const truncated = steps.map(({ terminated, truncated }, i) =>
      Boolean(truncated || (!terminated && this.ages[i]! >= this.maxEpisodeSteps)),
    );
    const last = together(steps.map(({ observation }) => observation));
    const over = steps.map(({ terminated }, i) => terminated || truncated[i]!);
    const next = (i: number): Observation => {
      if (!over[i]) return steps[i]!.observation;
      this.ages[i] = 0;
      return this.environments[i]!.reset();
    };
    return {
      observations: over.includes(true) ? together(steps.map((_, i) => next(i))) : last,
      rewards: tensor(steps.map(({ reward }) => reward)),
      terminated: tensor(steps.map(({ terminated }) => terminated)),
      truncated: tensor(truncated),
      finalObservations: last,
    };
  }
}

const op = 'VectorEnvironments';

const environmentKind = {
  text: 'an object with reset() and step(action)',
  is: (v: any) => typeof v?.reset === 'function' && typeof v?.step === 'function',
};
const outcomeKind = {
  text: '{ observation, reward, terminated }, a number as reward and a boolean as terminated',
  is: (v: any) =>
    is.object.is(v) &&
    typeof v.reward === 'number' &&
    typeof v.terminated === 'boolean' &&
    [undefined, true, false].includes(v.truncated),
};

function together(seen: readonly Observation[]): Tensor {
  const tensors = seen.map((each) => (Tensor.is(each) ? each : tensor(each)));
  const shapes = tensors.map((t) => `[${t.shape.join(', ')}]`);
  if (shapes.some((shape) => shape !== shapes[0]))
    throw new ShapeError(op, `environments of one kind see the same shape, got ${shapes.join(', ')}`);
  return stack(tensors);
}
