import { rand, type Tensor, tensor } from '@gradgate/core';
import type { Environments, Transition } from '@gradgate/train';

const start = () => rand([4]).sub(0.5).mul(0.1).toArray() as number[];

/** Carts with poles (Barto et al., 1983): an episode is over when the pole falls, and is broken off after 500 steps. */
export class CartPoles implements Environments {
  private worlds: number[][] = [];
  private ages: number[] = [];

  constructor(private readonly count: number) {}

  /** Position, speed, angle and angular speed of each: [count, 4]. */
  reset(): Tensor {
    this.worlds = Array.from({ length: this.count }, start);
    this.ages = this.worlds.map(() => 0);
    return tensor(this.worlds);
  }

  /** Pushes each to the left (0) or the right (1); each step that a pole stands gains 1. */
  step(actions: Tensor): Transition {
    const pushes = actions.toArray() as number[];
    const last = this.worlds.map((world, i) => push(world, pushes[i] === 1));
    const terminated = last.map(([x, , angle]) => Math.abs(x!) > 2.4 || Math.abs(angle!) > 0.2095);
    const truncated = this.ages.map((age, i) => !terminated[i] && age + 1 === 500);
    const over = terminated.map((fell, i) => fell || truncated[i]!);
    this.worlds = last.map((world, i) => (over[i] ? start() : world));
    this.ages = this.ages.map((age, i) => (over[i] ? 0 : age + 1));
    return {
      observations: tensor(this.worlds),
      rewards: tensor(last.map(() => 1)),
      terminated: tensor(terminated),
      truncated: tensor(truncated),
      finalObservations: tensor(last),
    };
  }
}

function push([x, v, angle, spin]: number[], right: boolean): number[] {
  const force = ((right ? 10 : -10) + 0.05 * spin! ** 2 * Math.sin(angle!)) / 1.1;
  const inertia = 0.5 * (4 / 3 - (0.1 * Math.cos(angle!) ** 2) / 1.1);
  const turn = (9.8 * Math.sin(angle!) - Math.cos(angle!) * force) / inertia;
  const along = force - (0.05 * turn * Math.cos(angle!)) / 1.1;
  return [x! + 0.02 * v!, v! + 0.02 * along, angle! + 0.02 * spin!, spin! + 0.02 * turn];
}
