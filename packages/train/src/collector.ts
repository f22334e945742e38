import { noGrad, ShapeError, stack, type Tensor } from '@gradgate/core';
import { check, checkSize, checkTensors, is } from '@gradgate/core/internal';

/** Environments that an agent acts in side by side, like the vector environments of Gymnasium. `n` is their number. */
export interface Environments {
  /** Starts new episodes in all environments; returns the observations `[n, ...]`. */
  reset(): Tensor;
  /** Takes an action in each environment; one whose episode ends starts a new one at once. */
  step(actions: Tensor): Transition;
}

/** The result of an action in each environment. */
export interface Transition {
  /** The observations `[n, ...]`; of the next episode where one has ended. */
  observations: Tensor;
  /** The rewards `[n]`. */
  rewards: Tensor;
  /** True, or 1, where the action ended the episode: `[n]`. */
  terminated: Tensor;
  /** True, or 1, where the episode was cut off, for example by a time limit: `[n]`. */
  truncated: Tensor;
  /** The observations `[n, ...]`, but of the old episode where one has ended; needed where episodes are cut off. */
  finalObservations?: Tensor;
}

/** A finished episode. */
export interface Episode {
  /** The sum of the rewards. */
  reward: number;
  /** The number of steps. */
  length: number;
}

/** What happened in some steps of all environments; all tensors are `[steps, n, ...]`. */
export interface Experience {
  /** The observations before each action. */
  observations: Tensor;
  /** The actions taken. */
  actions: Tensor;
  /** Their rewards, `[steps, n]`. */
  rewards: Tensor;
  /** Whether they ended the episode, `[steps, n]`. */
  terminated: Tensor;
  /** Whether the episode was cut off after them, `[steps, n]`. */
  truncated: Tensor;
  /** The observations after each action, including those at the end of an episode. */
  nextObservations: Tensor;
  /** The episodes that ended in these steps. */
  episodes: Episode[];
}

/**
 * Lets an agent act in environments and stores what happens; each call of `collect` continues where the last one ended.
 * `act` returns the actions `[n, ...]` for observations `[n, ...]`; it runs without gradients.
 *
 * ```ts
 * const collector = new Collector(environments, (observations) => agent.policy(observations).argmax(1));
 * const { observations, rewards, episodes } = collector.collect(128);
 * ```
 */
export class Collector {
  private observed: Tensor | null = null;
  private running: Episode[] = [];

  constructor(
    private readonly environments: Environments,
    private readonly act: (observations: Tensor) => Tensor,
  ) {
    check('Collector', 'environments', environments, environmentsKind);
    check('Collector', 'act', act, is.callback);
  }

  /** Takes `steps` steps in each environment; returns what happened. */
  collect(steps: number): Experience {
    check('Collector.collect', 'steps', steps, is.count);
    return noGrad.run(() => {
      this.observed ??= this.start();
      checkSize('Collector.collect', [steps, ...this.observed.shape]);
      const episodes: Episode[] = [];
      const taken = Array.from({ length: steps }, () => this.step(episodes));
      const all = (name: keyof Omit<Experience, 'episodes'>) => stack(taken.map((step) => step[name]));
      return {
        observations: all('observations'),
        actions: all('actions'),
        rewards: all('rewards'),
        terminated: all('terminated'),
        truncated: all('truncated'),
        nextObservations: all('nextObservations'),
        episodes,
      };
    });
  }

  private step(episodes: Episode[]): Omit<Experience, 'episodes'> {
    const op = 'Collector.collect';
    const observations = this.observed!;
    const actions = this.act(observations);
    checkTensors(op, actions);
    const next = this.environments.step(actions);
    check(op, 'the result of step', next, is.object);
    const { rewards, terminated, truncated } = next;
    const count = this.running.length;
    for (const [name, t] of Object.entries({ rewards, terminated, truncated })) {
      check(op, name, t, is.tensor);
      if (t.ndim !== 1 || t.numel !== count)
        throw new ShapeError(
          op,
          `${name} must be [${count}], a number for each environment, got [${t.shape.join(', ')}]`,
        );
    }
    const nextObservations = next.finalObservations ?? next.observations;
    checkTensors(op, next.observations, nextObservations);
    const [rewardOf, terminatedAt, truncatedAt] = [rewards, terminated, truncated].map(
      (t) => t.toTypedArray() as ArrayLike<number>,
    );
    for (let i = 0; i < count; i++) {
      if (truncatedAt![i] && !next.finalObservations)
        throw new TypeError(
          `${op}: environment ${i} was truncated, so step must return finalObservations, the last ones of the old episode`,
        );
      const episode = this.running[i]!;
      episode.reward += Number(rewardOf![i]);
      episode.length++;
      if (!terminatedAt![i] && !truncatedAt![i]) continue;
      episodes.push(episode);
      this.running[i] = { reward: 0, length: 0 };
    }
    this.observed = next.observations;
    return { observations, actions, rewards, terminated, truncated, nextObservations };
  }

  private start(): Tensor {
    const observed = this.environments.reset();
    checkTensors('Collector.collect', observed);
    if (observed.ndim === 0) throw new ShapeError('Collector.collect', 'reset must return [environments, ...], got []');
    this.running = Array.from({ length: observed.shape[0]! }, () => ({ reward: 0, length: 0 }));
    return observed;
  }
}

const environmentsKind = {
  text: 'an object with reset() and step(actions)',
  is: (v: any) => typeof v?.reset === 'function' && typeof v?.step === 'function',
};
