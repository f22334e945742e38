import { rand, type Tensor, tensor } from '@gradgate/core';

const start = () => rand([4]).sub(0.5).mul(0.1).toArray() as number[];

/** Carts with poles (Barto et al., 1983), each of which starts anew when it has fallen, or stood for 500 steps. */
export class CartPoles {
  /** How many steps each pole stood that is over. */
  readonly lengths: number[] = [];
  private readonly worlds: number[][];
  private readonly ages: number[];

  constructor(count: number) {
    this.worlds = Array.from({ length: count }, start);
    this.ages = this.worlds.map(() => 0);
  }

  /** Position, speed, angle and angular speed of each: [count, 4]. */
  get states(): Tensor {
    return tensor(this.worlds);
  }

  /** Pushes each to the left (0) or the right (1); gives 1 for those that go on and 0 for those that start anew: [count]. */
  step(actions: Tensor): Tensor {
    return tensor(
      this.worlds.map((world, i) => {
        const next = push(world, actions.at(i).item() === 1);
        const isOver = Math.abs(next[0]!) > 2.4 || Math.abs(next[2]!) > 0.2095 || ++this.ages[i]! >= 500;
        if (isOver) this.lengths.push(this.ages[i]!);
        if (isOver) this.ages[i] = 0;
        this.worlds[i] = isOver ? start() : next;
        return Number(!isOver);
      }),
    );
  }
}

function push([x, v, angle, spin]: number[], right: boolean): number[] {
  const force = ((right ? 10 : -10) + 0.05 * spin! ** 2 * Math.sin(angle!)) / 1.1;
  const inertia = 0.5 * (4 / 3 - (0.1 * Math.cos(angle!) ** 2) / 1.1);
  const turn = (9.8 * Math.sin(angle!) - Math.cos(angle!) * force) / inertia;
  const along = force - (0.05 * turn * Math.cos(angle!)) / 1.1;
  return [x! + 0.02 * v!, v! + 0.02 * along, angle! + 0.02 * spin!, spin! + 0.02 * turn];
}
