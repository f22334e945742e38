/**
 * Evaluation with averaged weights (an exponential moving average, EMA) while training goes on. The average is a set of tensors
 * beside the network: `functionalCall` computes with it, in one call and all that it awaits, and the network that trains
 * meanwhile keeps its own weights. `evaluating` switches gradients and dropout off in that call, and in no other.
 */
import { evaluating, manualSeed, mseLoss, noGrad, rand, randn, type Tensor } from '@gradgate/core';
import { Dropout, functionalCall, Linear, Module, optim, Sequential, Tanh } from '@gradgate/nn';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
type Weights = Readonly<Record<string, Tensor>>;
type Batch = readonly [x: Tensor, y: Tensor];

/** A network and its loss over a test set, which comes in batch by batch. */
class Test extends Module {
  readonly net = new Sequential(new Linear(1, 32), new Tanh(), new Dropout(0.05), new Linear(32, 1));

  @evaluating override async forward(batches: readonly Batch[]): Promise<number> {
    let sum = 0;
    for (const [x, y] of batches) {
      sum += mseLoss(this.net(x), y).item();
      await tick();
    }
    return sum / batches.length;
  }
}

const weightsOf = (module: Module): Weights =>
  Object.fromEntries([...module.namedParameters()].map(([name, p]) => [name, p.detach().clone()]));

/** The running average of weights. Each is a new set of tensors: who computes with an older one goes on with that. */
class Average {
  weights: Weights;

  constructor(
    readonly module: Module,
    readonly decay: number,
  ) {
    this.weights = weightsOf(module);
  }

  @noGrad update(): void {
    const { module, weights, decay } = this;
    this.weights = Object.fromEntries(
      [...module.namedParameters()].map(([name, p]) => [name, weights[name]!.mul(decay).add(p.mul(1 - decay))]),
    );
  }
}

const points = (n: number, noise: number): Batch => {
  const x = rand([n, 1]).mul(6).sub(3);
  return [
    x,
    x
      .mul(2)
      .sin()
      .add(randn([n, 1]).mul(noise)),
  ];
};

manualSeed(4);
const test = new Test();
const average = new Average(test, 0.98);
const optimizer = new optim.Adam(test.parameters(), { lr: 0.03 });
const testSet = Array.from({ length: 4 }, () => points(64, 0));
const steps = 600;
let recorded = 0;

async function train(): Promise<void> {
  for (let i = 0; i < steps; i++) {
    // Few noisy points a step: the weights jump about, and their average does not.
    const [x, y] = points(8, 0.6);
    const loss = mseLoss(test.net(x), y);
    if (loss.requiresGrad && test.training) recorded++;
    await tick();
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    average.update();
  }
}

interface Evaluation {
  readonly weights: Weights;
  readonly loss: number;
}
const evaluations: { readonly averaged: Evaluation; readonly last: Evaluation }[] = [];
const evaluate = async (weights: Weights): Promise<Evaluation> => ({
  weights,
  loss: await functionalCall(test, weights, testSet),
});

/** Both at once, again and again; each sees the weights that it began with. */
async function watch(): Promise<void> {
  for (let i = 0; i < 60; i++) {
    const [averaged, last] = await Promise.all([evaluate(average.weights), evaluate(weightsOf(test))]);
    evaluations.push({ averaged, last });
  }
}

await Promise.all([train(), watch()]);

let wrong = 0;
const all = evaluations.flatMap(({ averaged, last }) => [averaged, last]);
for (const { weights, loss } of all) if ((await evaluate(weights)).loss !== loss) wrong++;
const mean = (which: 'averaged' | 'last'): string => {
  const later = evaluations.slice(30);
  return (later.reduce((sum, e) => sum + e[which].loss, 0) / later.length).toFixed(4);
};
console.log(`${recorded} of ${steps} training steps were recorded, with dropout and their own weights`);
console.log(`${wrong} of ${all.length} evaluations beside them differ from the same one alone`);
console.log(`mean loss of the weights ${mean('last')}, of their average ${mean('averaged')}`);
