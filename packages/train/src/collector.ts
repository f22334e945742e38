import { noGrad, ShapeError, stack, type Tensor } from '@gradgate/core';
import { check, checkSize, checkTensors, is } from '@gradgate/core/internal';

/** Worlds side by side that an agent acts in, as the vector environments of Gymnasium are. */
export interface Environments {
  /** Starts all of them anew, and gives what is seen: `[worlds, ...]`. */
  reset(): Tensor;
  /** Acts in each; a world whose episode ends starts anew at once. */
  step(actions: Tensor): Transition;
}

/** What comes of an action in each world. */
export interface Transition {
  /** What is seen now, of the next episode where one is over: `[worlds, ...]`. */
  observations: Tensor;
  /** `[worlds]`. */
  rewards: Tensor;
  /** True, or 1, where the episode is over by what happened in it: `[worlds]`. */
  terminated: Tensor;
  /** True, or 1, where it was broken off, by a limit of time for example: `[worlds]`. */
  truncated: Tensor;
  /** As `observations`, but the last of the old episode where one is over; needed where there is a limit of time. */
  finalObservations?: Tensor;
}

/** An episode that is over. */
export interface Episode {
  /** The sum of its rewards. */
  reward: number;
  /** Its steps. */
  length: number;
}

/** What was seen, done and gained in some steps of all worlds; all tensors are `[steps, worlds, ...]`. */
export interface Experience {
  observations: Tensor;
  actions: Tensor;
  rewards: Tensor;
  terminated: Tensor;
  truncated: Tensor;
  /** What each action led to, the end of an episode too. */
  nextObservations: Tensor;
  /** The episodes that were over in these steps. */
  episodes: Episode[];
}

/**
 * Lets an agent act in worlds, and keeps what it saw: `collect` goes on where the last call ended. `act` gives the actions
 * `[worlds, ...]` for what is seen; it runs without gradients.
 *
 * ```ts
 * const collector = new Collector(worlds, (observations) => agent.policy(observations).argmax(1));
 * const { observations, rewards, episodes } = collector.collect(128);
 * ```
 */
export class Collector {
  private seen: Tensor | null = null;
  private running: Episode[] = [];

  constructor(
    private readonly environments: Environments,
    private readonly act: (observations: Tensor) => Tensor,
  ) {
    check('Collector', 'environments', environments, environmentsKind);
    check('Collector', 'act', act, is.callback);
  }

  /** Takes `steps` steps in each world. */
  collect(steps: number): Experience {
    check('Collector.collect', 'steps', steps, is.count);
    return noGrad.run(() => {
      this.seen ??= this.start();
      checkSize('Collector.collect', [steps, ...this.seen.shape]);
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
    const observations = this.seen!;
    const actions = this.act(observations);
    checkTensors(op, actions);
    const next = this.environments.step(actions);
    check(op, 'what step gives', next, is.object);
    const { rewards, terminated, truncated } = next;
    const worlds = this.running.length;
    for (const [name, t] of Object.entries({ rewards, terminated, truncated })) {
      check(op, name, t, is.tensor);
      if (t.ndim !== 1 || t.numel !== worlds)
        throw new ShapeError(
          op,
          `${name} has a number for each of ${worlds} worlds, [${worlds}], got [${t.shape.join(', ')}]`,
        );
    }
    const nextObservations = next.finalObservations ?? next.observations;
    checkTensors(op, next.observations, nextObservations);
    const [gained, ends, limits] = [rewards, terminated, truncated].map((t) => t.toTypedArray() as ArrayLike<number>);
    for (let i = 0; i < worlds; i++) {
      if (limits![i] && !next.finalObservations)
        throw new TypeError(
          `${op}: world ${i} was broken off, and step gave no finalObservations to tell what it was like then`,
        );
      const episode = this.running[i]!;
      episode.reward += Number(gained![i]);
      episode.length++;
      if (!ends![i] && !limits![i]) continue;
      episodes.push(episode);
      this.running[i] = { reward: 0, length: 0 };
    }
    this.seen = next.observations;
    return { observations, actions, rewards, terminated, truncated, nextObservations };
  }

  private start(): Tensor {
    const seen = this.environments.reset();
    checkTensors('Collector.collect', seen);
    if (seen.ndim === 0) throw new ShapeError('Collector.collect', 'reset gives [worlds, ...], got []');
    this.running = Array.from({ length: seen.shape[0]! }, () => ({ reward: 0, length: 0 }));
    return seen;
  }
}

const environmentsKind = {
  text: 'an object with reset() and step(actions)',
  is: (v: any) => typeof v?.reset === 'function' && typeof v?.step === 'function',
};
