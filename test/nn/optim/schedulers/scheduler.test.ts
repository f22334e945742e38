import { tensor } from '@gradgate/core';
import { optim, Parameter } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const sgd = (lr = 1, options = {}) => new optim.SGD([new Parameter(tensor([0]))], { lr, ...options });

/** The rates of steps that are made together; before step 5 the rate is doubled by hand. */
function rates(make: (o: optim.SGD) => optim.LRScheduler[]): number[] {
  const optimizer = sgd();
  const schedulers = make(optimizer);
  const all = [optimizer.paramGroups[0]!.lr];
  for (let i = 0; i < 8; i++) {
    if (i === 4) optimizer.paramGroups[0]!.lr *= 2;
    for (const s of schedulers) s.step();
    all.push(optimizer.paramGroups[0]!.lr);
  }
  return all;
}
const near = (got: readonly number[], want: readonly number[]) => {
  expect(got).toHaveLength(want.length);
  got.forEach((v, i) => {
    expect(v, `step ${i}`).toBeCloseTo(want[i]!, 8);
  });
};

describe('schedulers of one optimizer', () => {
  it('multiply when they are stepped together, and go on from rates that were set by hand', () => {
    const optimizer = sgd();
    const both = [
      new optim.ExponentialLR(optimizer, { gamma: 0.9 }),
      new optim.MultiStepLR(optimizer, { milestones: [2], gamma: 0.1 }),
    ];
    const got = [0, 0, 0, 0].map(() => {
      for (const s of both) s.step();
      return optimizer.paramGroups[0]!.lr;
    });
    near(got, [0.9, 0.081, 0.0729, 0.06561]);
    // Run with PyTorch.
    near(
      rates((o) => [
        new optim.LinearLR(o, { startFactor: 0.5, totalIters: 3 }),
        new optim.ExponentialLR(o, { gamma: 0.9 }),
      ]),
      [0.5, 0.6, 0.675, 0.729, 0.6561, 1.18098, 1.062882, 0.9565938, 0.86093442],
    );
    near(
      rates((o) => [
        new optim.PolynomialLR(o, { totalIters: 4, power: 2 }),
        new optim.CosineAnnealingLR(o, { tMax: 3, etaMin: 0.01 }),
      ]),
      [1, 0.424375, 0.06953703703703705, 0.01, 0.2475, 1.465, 1.95, 1.465, 0.495],
    );
    near(
      rates((o) => [new optim.ConstantLR(o, { factor: 0.5, totalIters: 2 }), new optim.StepLR(o, { stepSize: 2 })]),
      [0.5, 0.5, 0.1, 0.1, 0.01, 0.02, 0.002, 0.002, 0.0002],
    );
  });

  it('start from the rate that a resumed run started from', () => {
    const first = sgd(1);
    const scheduler = new optim.ExponentialLR(first, { gamma: 0.5 });
    for (let i = 0; i < 3; i++) scheduler.step();
    const saved = first.stateDict();
    expect(saved.param_groups[0]).toMatchObject({ lr: 0.125, initial_lr: 1 });
    const second = sgd(7);
    second.loadStateDict(saved);
    const again = new optim.CosineAnnealingLR(second, { tMax: 10 });
    expect([again.baseLrs, second.paramGroups[0]!.lr]).toEqual([[1], 0.125]);
    const third = sgd(7);
    third.loadStateDict(saved);
    const goingOn = new optim.ExponentialLR(third, { gamma: 0.5, lastEpoch: 3 });
    expect([goingOn.lastEpoch, third.paramGroups[0]!.lr]).toEqual([4, 0.0625]);
    expect(() => new optim.ExponentialLR(sgd(), { gamma: 0.5, lastEpoch: 3 })).toThrow(/groups have initialLr/);
  });

  it('have states that are checked as a whole, and set the rates in force', () => {
    const optimizer = sgd(1);
    const scheduler = new optim.ExponentialLR(optimizer, { gamma: 0.5 });
    scheduler.step();
    optimizer.paramGroups[0]!.lr = 0.3;
    const saved = scheduler.stateDict();
    expect(saved).toEqual({ last_epoch: 1, base_lrs: [1], _last_lr: [0.3] });
    scheduler.step();
    for (const wrong of [
      { ...saved, last_epoch: -1 },
      { ...saved, last_epoch: 'x' },
      { ...saved, base_lrs: [1, 2] },
      { ...saved, base_lrs: ['1'] },
      { ...saved, _last_lr: [Number.NaN] },
      null,
    ])
      expect(() => scheduler.loadStateDict(wrong as never)).toThrow(
        /ExponentialLR.loadStateDict: not a state of a scheduler of 1/,
      );
    expect([scheduler.lastEpoch, optimizer.paramGroups[0]!.lr]).toEqual([2, 0.15]);
    scheduler.loadStateDict(saved);
    expect([scheduler.lastEpoch, optimizer.paramGroups[0]!.lr]).toEqual([1, 0.3]);
    // As earlier versions wrote it.
    scheduler.loadStateDict({ lastEpoch: 3, baseLrs: [2] });
    expect(optimizer.paramGroups[0]!.lr).toBe(0.25);
    const row = new optim.SequentialLR([new optim.LinearLR(sgd(), {}), new optim.LinearLR(sgd(), {})], [2]);
    const before = row.stateDict();
    expect(() => row.loadStateDict({ ...before, last_epoch: 5, _schedulers: [saved, { last_epoch: 'x' }] })).toThrow(
      /not a state/,
    );
    expect(row.stateDict()).toEqual(before);
  });
});

it.each<[string, (o: optim.SGD) => optim.LRScheduler, (s: optim.LRScheduler) => void, RegExp]>([
  [
    'a step to an epoch that has no rate',
    (o) => new optim.LambdaLR(o, (epoch) => (epoch > 2 ? Number.NaN : 1)),
    (s) => s.step(3),
    /LambdaLR: the learning rate of epoch 3 would be NaN/,
  ],
  [
    'one beyond the steps of OneCycleLR',
    (o) => new optim.OneCycleLR(o, { maxLr: 1, totalSteps: 5 }),
    (s) => s.step(9),
    /OneCycleLR: step 9 is beyond the 5 steps/,
  ],
  [
    'a state without rates that is beyond them',
    (o) => new optim.OneCycleLR(o, { maxLr: 1, totalSteps: 5 }),
    (s) => s.loadStateDict({ last_epoch: 9, base_lrs: [3], _last_lr: [] }),
    /OneCycleLR: step 9 is beyond the 5 steps/,
  ],
  [
    'a step to an epoch with millions of factors',
    (o) => new optim.MultiplicativeLR(o, () => 1),
    (s) => s.step(2 ** 40),
    /MultiplicativeLR: takes epochs up to 1e7.*; got 1099511627776/,
  ],
])('%s is refused, and changes nothing', (_, make, step, message) => {
  const optimizer = sgd();
  const scheduler = make(optimizer);
  scheduler.step();
  const before = [scheduler.stateDict(), optimizer.stateDict()];
  expect(() => step(scheduler)).toThrow(message);
  expect([scheduler.stateDict(), optimizer.stateDict()]).toEqual(before);
});

it.each(['SequentialLR', 'ChainedScheduler'] as const)('%s refuses what is no scheduler', (name) => {
  for (const other of [tensor([2]), {}, sgd()])
    expect(() => new optim[name]([other, other] as never, [1])).toThrow(
      `${name}: schedulers must be schedulers of an optimizer, got `,
    );
});

describe('OneCycleLR', () => {
  it('cycles momentum against the rate, by epochs and steps of an epoch', () => {
    const optimizer = sgd(1, { momentum: 0.5 });
    const scheduler = new optim.OneCycleLR(optimizer, { maxLr: 2, epochs: 2, stepsPerEpoch: 5 });
    const got: [number, number][] = [];
    for (let i = 0; i < 10; i++) {
      const { lr, momentum } = optimizer.paramGroups[0]!;
      got.push([lr, momentum]);
      if (i < 9) scheduler.step();
    }
    // Run with PyTorch.
    near(
      got.map(([lr]) => lr),
      [0.08, 1.04, 2, 1.90096926, 1.62349131, 1.22252404, 0.77748396, 0.37651669, 0.09903874, 8e-6],
    );
    near(
      got.map(([, m]) => m),
      [0.95, 0.9, 0.85, 0.85495156, 0.86882551, 0.88887395, 0.91112605, 0.93117449, 0.94504844, 0.95],
    );
  });

  it('has three phases, straight lines and betas', () => {
    const optimizer = new optim.Adam([new Parameter(tensor([0]))]);
    const scheduler = new optim.OneCycleLR(optimizer, {
      maxLr: 2,
      totalSteps: 10,
      threePhase: true,
      annealStrategy: 'linear',
    });
    const got: [number, number][] = [];
    for (let i = 0; i < 10; i++) {
      const { lr, betas } = optimizer.paramGroups[0]!;
      got.push([lr, betas[0]]);
      if (i < 9) scheduler.step();
    }
    near(
      got.map(([lr]) => lr),
      [0.08, 1.04, 2, 1.04, 0.08, 0.0640016, 0.0480032, 0.0320048, 0.0160064, 8e-6],
    );
    near(
      got.map(([, m]) => m),
      [0.95, 0.9, 0.85, 0.9, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95],
    );
  });

  it('refuses what does not say how long it is, and what does not exist', () => {
    expect(() => new optim.OneCycleLR(sgd(), { maxLr: 1, epochs: 3 })).toThrow(
      /give totalSteps, or epochs and stepsPerEpoch/,
    );
    expect(() => new optim.OneCycleLR(sgd(), { maxLr: 1, total_steps: 3 } as never)).toThrow(
      /did you mean 'totalSteps'/,
    );
    expect(() => new optim.OneCycleLR(sgd(), { maxLr: [1, 2], totalSteps: 3 })).toThrow(
      /maxLr has 2 rates, and the optimizer 1/,
    );
    expect(
      () =>
        new optim.OneCycleLR(new optim.Adagrad([new Parameter(tensor([0]))]), {
          maxLr: 1,
          totalSteps: 3,
          cycleMomentum: true,
        }),
    ).toThrow(/needs an optimizer with momentum or betas/);
    expect(() => new optim.StepLR(3 as never, { stepSize: 1 })).toThrow(/StepLR: takes an optimizer, got 3/);
    const changed = sgd();
    const scheduler = new optim.StepLR(changed, { stepSize: 1 });
    changed.paramGroups[0] = undefined as never;
    expect(() => scheduler.step()).toThrow(
      /^StepLR: paramGroups of the optimizer has undefined at 0, which is no group/,
    );
    expect(() => new optim.MultiStepLR(sgd(), {} as never)).toThrow(/MultiStepLR: milestones must be an array/);
  });
});
