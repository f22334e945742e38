import { Generator, type Tensor, tensor } from '@gradgate/core';

export type DataName = 'moons' | 'spirals';

export interface Points {
  /** `[n, 2]`, from about -1 to 1. */
  points: Tensor;
  /** `[n, 1]`: -1 or 1. */
  classes: Tensor;
}

type Place = (t: number, side: 1 | -1) => [number, number];

/** The centre of either class at t from 0 to 1, and the largest distance from it. */
const shapes: Record<DataName, { place: Place; noise: number }> = {
  moons: {
    place: (t, side) => [0.6 * Math.cos(Math.PI * t) * side - 0.3 * side, side * (0.65 * Math.sin(Math.PI * t) - 0.18)],
    noise: 0.075,
  },
  spirals: {
    place: (t, side) => {
      const radius = 0.08 + 0.8 * t;
      const angle = 2.6 * Math.PI * t;
      return [side * radius * Math.cos(angle), side * radius * Math.sin(angle)];
    },
    noise: 0.025,
  },
};

/** The same points for the same seed. */
export function makePoints(name: DataName, seed: number, perClass = 110): Points {
  const { place, noise } = shapes[name];
  const random = new Generator(seed);
  const points: number[] = [];
  const classes: number[] = [];
  for (const side of [1, -1] as const)
    for (let i = 0; i < perClass; i++) {
      const [x, y] = place(i / (perClass - 1), side);
      points.push(x + noise * random.normal(), y + noise * random.normal());
      classes.push(side);
    }
  const n = classes.length;
  return { points: tensor(points, { shape: [n, 2] }), classes: tensor(classes, { shape: [n, 1] }) };
}
