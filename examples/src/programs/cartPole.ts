import { rand } from '@gradgate/core';
import type { Environment } from '@gradgate/train';

/** A cart with a pole (Barto et al., 1983), as Gymnasium has it: an episode is over when the pole falls. */
export class CartPole implements Environment {
  private state = [0, 0, 0, 0];

  /** Position, speed, angle and angular speed. */
  reset(): number[] {
    this.state = rand([4]).sub(0.5).mul(0.1).toArray() as number[];
    return this.state;
  }

  /** Pushes to the left (0) or the right (1); each step that the pole stands gains 1. */
  step(push: number) {
    const [x, v, angle, spin] = this.state as [number, number, number, number];
    const force = ((push === 1 ? 10 : -10) + 0.05 * spin ** 2 * Math.sin(angle)) / 1.1;
    const inertia = 0.5 * (4 / 3 - (0.1 * Math.cos(angle) ** 2) / 1.1);
    const turn = (9.8 * Math.sin(angle) - Math.cos(angle) * force) / inertia;
    const along = force - (0.05 * turn * Math.cos(angle)) / 1.1;
    this.state = [x + 0.02 * v, v + 0.02 * along, angle + 0.02 * spin, spin + 0.02 * turn];
    const [place, , lean] = this.state as [number, number, number, number];
    return { observation: this.state, reward: 1, terminated: Math.abs(place) > 2.4 || Math.abs(lean) > 0.2095 };
  }
}
