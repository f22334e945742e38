import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { currentGenerator, forkRng, noGrad, randn, type Tensor, tensor } from '@gradgate/core';
import { Linear, loadCheckpoint, Module, optim } from '@gradgate/nn';
import {
  type Callback,
  EarlyStopping,
  findLearningRate,
  fit,
  LearningRateMonitor,
  ModelCheckpoint,
  ProgressLine,
  type Run,
  WeightAveraging,
} from '@gradgate/train';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Classifier, loaderOf } from './models.js';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'gradgate-train-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A model whose validation loss is what the test says, epoch by epoch, and whose weight counts the epochs. */
class Scripted extends Module {
  layer = new Linear(1, 1, { bias: false });
  epoch = 0;
  constructor(readonly losses: number[]) {
    super();
    noGrad.run(() => this.layer.weight.fill_(0));
  }
  trainingStep() {
    return this.layer(tensor([[-1]])).mean();
  }
  validationStep() {
    return { loss: this.losses[this.epoch++]! };
  }
}
const scripted = (losses: number[], callbacks: Callback[]) => {
  const model = new Scripted(losses);
  const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
  return fit(model, { train: [null], validation: [null], optimizer, epochs: losses.length, callbacks });
};
const weightOf = ({ model }: Run) => (model as Scripted).layer.weight.item();

describe('callbacks with a state', () => {
  it.each([
    ['EarlyStopping', () => new EarlyStopping()],
    ['WeightAveraging', () => new WeightAveraging()],
  ])('%s is refused in two runs at once and twice in one, and may be used again after its run', async (name, make) => {
    const callback = make();
    const message = `fit: ${name} is in another run that has not ended, or twice in this one`;
    const first = scripted([3, 2, 1], [callback]);
    await expect(scripted([1], [callback])).rejects.toThrow(message);
    expect((await first).epoch).toBe(3);
    await expect(scripted([1], [callback, callback])).rejects.toThrow(message);
    await expect(scripted([Number.NaN], [callback, new EarlyStopping({ monitor: 'f1' })])).rejects.toThrow('f1');
    expect((await scripted([2], [callback])).epoch).toBe(1);
  });

  it('one without a state may be in several', async () => {
    let epochs = 0;
    const counting = { onEpochEnd: () => epochs++ };
    await Promise.all([scripted([1, 1], [counting]), scripted([1], [counting, counting])]);
    expect(epochs).toBe(4);
  });
});

describe('EarlyStopping', () => {
  it('stops after patience epochs without a better value', async () => {
    const run = await scripted([3, 2, 2.5, 2.1, 2.2, 1], [new EarlyStopping({ patience: 3 })]);
    expect(run.history['valLoss']).toEqual([3, 2, 2.5, 2.1, 2.2]);
    expect(run.stopReason).toBe('no better value than 2 for 3 epochs');
  });

  it('gives the model the weights of its best epoch', async () => {
    expect(weightOf(await scripted([3, 2, 4, 5], [new EarlyStopping({ patience: 2, restoreBest: true })]))).toBe(2);
    expect(weightOf(await scripted([3, 2, 4, 5], [new EarlyStopping({ patience: 2 })]))).toBe(4);
  });

  it('watches what it is told to, where more may be better, and only by more than minDelta', async () => {
    const stopping = new EarlyStopping({ mode: 'max', patience: 2, minDelta: 0.5 });
    expect((await scripted([1, 1.4, 1.6, 1.9, 2], [stopping])).history['valLoss']).toEqual([1, 1.4, 1.6, 1.9, 2]);
    expect(stopping.best).toBe(1.6);
    await expect(scripted([1], [new EarlyStopping({ monitor: 'f1' })])).rejects.toThrow(
      "EarlyStopping: there is no figure 'f1'; there are loss, valLoss",
    );
  });

  it('stops where the figure is NaN', async () => {
    expect((await scripted([1, Number.NaN, 1], [new EarlyStopping()])).stopReason).toBe('the monitored figure is NaN');
  });

  it('starts anew in a second run', async () => {
    const stopping = new EarlyStopping({ patience: 2 });
    await scripted([1, 2, 3, 4], [stopping]);
    const run = await scripted([9, 8, 7, 6], [stopping]);
    expect([run.stopReason, run.epoch, stopping.best]).toEqual([null, 4, 6]);
  });
});

describe('ModelCheckpoint', () => {
  it('has a best epoch of each run', async () => {
    const checkpoints = new ModelCheckpoint(folder());
    await scripted([1, 2], [checkpoints]);
    expect(weightOf(await scripted([9, 8, 10], [checkpoints]))).toBe(3);
    expect(checkpoints.best).toBe(8);
    const model = new Scripted([]);
    await loadCheckpoint(checkpoints.path('best'), { model });
    expect(model.layer.weight.item()).toBe(2);
  });

  it('keeps the best epoch and the last one', async () => {
    const checkpoint = new ModelCheckpoint(join(folder(), 'a', 'b'));
    await scripted([3, 1, 2], [checkpoint]);
    expect(readdirSync(checkpoint.folder).sort()).toEqual(['best.safetensors', 'last.safetensors']);
    const weights = async (which: 'best' | 'last') => {
      const model = new Scripted([]);
      await loadCheckpoint(checkpoint.path(which), { model });
      return model.layer.weight.item();
    };
    expect([await weights('best'), await weights('last')]).toEqual([2, 3]);
  });
});

describe('a run that is resumed', () => {
  const settings = (callbacks: Callback[], options: object = {}) => {
    const model = new Classifier();
    const optimizer = new optim.AdamW(model.parameters(), { lr: 0.05 });
    const scheduler = new optim.CosineAnnealingLR(optimizer, { tMax: 40 });
    const train = loaderOf(64, 5);
    return {
      model,
      options: {
        ...{ train, validation: loaderOf(24, 6), optimizer, scheduler, schedulerInterval: 'step' as const, epochs: 3 },
        ...{ accumulateGradBatches: 2, callbacks, ...options },
      },
    };
  };
  const all = () => [
    new LearningRateMonitor(),
    new EarlyStopping({ patience: 2, restoreBest: true }),
    new WeightAveraging({ decay: 0.5 }),
  ];
  const bits = (model: Module) => Object.values(model.stateDict()).map((t) => [...t.toTypedArray()]);

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    'after step %i takes the path of an unbroken one, to the bit',
    async (at) => {
      const [unbroken, whole] = await forkRng(1).run(async () => {
        const callbacks = all();
        const { model, options } = settings(callbacks);
        const run = await fit(model, options);
        return [run, [model, (callbacks[2] as WeightAveraging).average].map(bits)] as const;
      });
      const bytes = await forkRng(1).run(async () => {
        let saved: Uint8Array | undefined;
        const onStep = (run: Run) => {
          if (run.step === at) saved = run.encode();
        };
        const { model, options } = settings([...all(), { onStep, isLast: true }]);
        await fit(model, options);
        return saved!;
      });
      await forkRng(77).run(async () => {
        const callbacks = [...all(), {}];
        const { model, options } = settings(callbacks, { resume: bytes });
        const run = await fit(model, options);
        expect(run.history).toEqual(unbroken.history);
        expect({ step: run.step, samples: run.samples }).toEqual({ step: unbroken.step, samples: unbroken.samples });
        expect([model, (callbacks[2] as WeightAveraging).average].map(bits)).toEqual(whole);
      });
    },
  );

  it('after a signal in validation goes on with validation', async () => {
    const path = folder();
    const start = (signal?: AbortSignal, resume?: string) => {
      const { model, options } = settings([new ModelCheckpoint(path)], { signal, resume });
      return { model, run: () => fit(model, options) };
    };
    const unbroken = await forkRng(2).run(() => start().run());
    const controller = new AbortController();
    await forkRng(2).run(async () => {
      const { model, run } = start(controller.signal);
      const { validationStep } = model;
      let calls = 0;
      Object.defineProperty(model, 'validationStep', {
        value: (batch: readonly [Tensor, Tensor]) => {
          if (++calls === 5) controller.abort(new Error('stop'));
          return validationStep.call(model, batch);
        },
      });
      await expect(run()).rejects.toThrow('stop');
    });
    const { model, run } = start(undefined, `${path}/last.safetensors`);
    const { history } = await forkRng(3).run(run);
    expect(history).toEqual(unbroken.history);
    expect(model.modes.slice(0, 3)).toEqual(new Array(3).fill('validation: grad false, dropout false'));
  });

  it('an array of batches is taken up behind those that were done', async () => {
    const seen: number[][] = [[], []];
    const steps = (i: number) => (x: Tensor) => {
      seen[i]!.push(x.item());
      return x.mul(model.weight).sum();
    };
    const model = new Linear(1, 1, { bias: false });
    const make = () => new optim.SGD(model.parameters(), { lr: 0.1 });
    const train = [1, 2, 3, 4].map((v) => tensor([v]));
    let bytes: Uint8Array | undefined;
    const onStep = (run: Run) => {
      if (run.step === 3) bytes = run.encode();
    };
    await fit(model, { train, optimizer: make(), epochs: 1, trainingStep: steps(0), callbacks: [{ onStep }] });
    await fit(model, { train, optimizer: make(), epochs: 1, trainingStep: steps(1), callbacks: [{}], resume: bytes });
    expect(seen).toEqual([[1, 2, 3, 4], [4]]);
  });

  it('with other callbacks is refused, and nothing changes', async () => {
    const { model, options } = settings([]);
    const run = await fit(model, { ...options, epochs: 1 });
    const other = settings([new LearningRateMonitor()], { resume: run.encode() });
    const before = bits(other.model);
    await expect(fit(other.model, other.options)).rejects.toThrow(/a run with 0 callbacks, and this one has 1/);
    expect(bits(other.model)).toEqual(before);
  });
});

describe('WeightAveraging', () => {
  it('validates with the average and leaves the model alone', async () => {
    const model = new Linear(1, 1, { bias: false });
    noGrad.run(() => model.weight.fill_(0));
    const averaging = new WeightAveraging({ decay: 0.5 });
    const step = (x: Tensor, m: Module) => ({ loss: (m as Linear)(x).mean() });
    const run = await fit(model, {
      ...{ train: [tensor([[-1]]), tensor([[-1]])], validation: [tensor([[1]])], epochs: 1, callbacks: [averaging] },
      ...{ optimizer: new optim.SGD(model.parameters(), { lr: 1 }), trainingStep: step, validationStep: step },
    });
    expect(run.history['valLoss']).toEqual([1.25]);
    expect(model.weight.item()).toBe(2);
  });
});

describe('LearningRateMonitor', () => {
  it('tells the rates of all groups', async () => {
    const model = new Scripted([1, 1]);
    const groups = [{ params: [model.layer.weight] }, { params: [randn([1]).requiresGrad_()], lr: 0.5 }];
    const optimizer = new optim.SGD(groups, { lr: 1 });
    const scheduler = new optim.ExponentialLR(optimizer, { gamma: 0.5 });
    const callbacks = [new LearningRateMonitor()];
    const { history } = await fit(model, { train: [null], optimizer, scheduler, epochs: 2, callbacks });
    expect([history['lr'], history['lr1']]).toEqual([
      [1, 0.5],
      [0.5, 0.25],
    ]);
  });
});

describe('ProgressLine', () => {
  it('writes figures, samples a second and the time left', async () => {
    const lines: string[] = [];
    await scripted([2, 1.5], [new ProgressLine({ print: (line) => lines.push(line) })]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^epoch 1\/2 {2}loss -?0 {2}valLoss 2 {2}[\d.]+ samples\/s {2}[\d.]+ s left$/);
    expect(lines[1]).toMatch(/^epoch 2\/2 {2}loss -1 {2}valLoss 1.500 {2}[\d.]+ samples\/s$/);
  });

  it('writes large figures without a power of ten', async () => {
    const lines: string[] = [];
    await scripted([1234567.8, 0.00001234567], [new ProgressLine({ print: (line) => lines.push(line) })]);
    expect(lines[0]).toContain('valLoss 1234568  ');
    expect(lines[1]).toContain('valLoss 0.00001235  ');
  });

  it('says why a run was stopped', async () => {
    const lines: string[] = [];
    await scripted(
      [1, 2, 3],
      [new EarlyStopping({ patience: 1 }), new ProgressLine({ print: (line) => lines.push(line) })],
    );
    expect(lines.at(-1)).toBe('stopped: no better value than 1 for 1 epochs');
  });
});

describe('findLearningRate', () => {
  it('ends where the loss is no number any more, with the rates so far', async () => {
    const layer = new Linear(1, 1, { bias: false });
    const optimizer = new optim.SGD(layer.parameters(), { lr: 1 });
    let step = 0;
    const trainingStep = (x: Tensor) =>
      layer(x)
        .square()
        .mean()
        .mul(step++ < 4 ? 1 : Number.NaN);
    const { rates, losses } = await findLearningRate(layer, { train: [tensor([[1]])], optimizer, trainingStep });
    expect([rates.length, losses.length]).toEqual([4, 4]);
  });

  it('refuses a loss that is no number from the start, and leaves everything as it was', async () => {
    const layer = new Linear(1, 1, { bias: false });
    const before = layer.weight.item();
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.5 });
    const trainingStep = (x: Tensor) => layer(x).mean().mul(Number.NaN);
    await expect(findLearningRate(layer, { train: [tensor([[1]])], optimizer, trainingStep })).rejects.toThrow(
      'findLearningRate: the loss is NaN at the first rate',
    );
    expect([layer.weight.item(), optimizer.paramGroups[0]!.lr]).toEqual([before, 0.5]);
  });

  it('suggests a rate that learns, and leaves everything as it was', async () => {
    await forkRng(4).run(async () => {
      const model = new Classifier();
      const optimizer = new optim.SGD(model.parameters(), { lr: 1e-6 });
      const train = loaderOf(128, 3);
      const before = {
        model: model.stateDict()['body.0.weight']!.clone(),
        random: currentGenerator().getState(),
        loader: train.stateDict(),
      };
      const { rates, losses, suggestion } = await findLearningRate(model, { train, optimizer, end: 100 });
      expect(rates[0]).toBe(1e-7);
      expect(losses).toHaveLength(rates.length);
      expect(suggestion).toBeGreaterThan(1e-3);
      expect(suggestion).toBeLessThan(10);
      expect(model.stateDict()['body.0.weight']!.equal(before.model)).toBe(true);
      expect(optimizer.paramGroups[0]!.lr).toBe(1e-6);
      expect(currentGenerator().getState()).toEqual(before.random);
      expect(train.stateDict()).toEqual(before.loader);
      optimizer.paramGroups[0]!.lr = suggestion!;
      const { history } = await fit(model, { train, optimizer, epochs: 5 });
      expect(history['accuracy']!.at(-1)).toBeGreaterThan(0.8);
    });
  });

  it('refuses rates that do not grow', async () => {
    const model = new Scripted([]);
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    for (const [wrong, message] of [
      [[undefined, { train: [null], optimizer }], /^findLearningRate: the model must be a Module, got undefined/],
      [
        [model, { train: [null], optimizer: {} }],
        /^findLearningRate: the optimizer must be one of optim, got an object/,
      ],
      [[model, { train: [null], optimizer, signal: {} }], /^findLearningRate: signal must be an AbortSignal/],
    ] as [[never, never], RegExp][])
      await expect(findLearningRate(...wrong)).rejects.toThrow(message);
    await expect(findLearningRate(model, { train: [null], optimizer, start: 1, end: 0.1 })).rejects.toThrow(
      'end must be above start, got 0.1 and 1',
    );
  });
});
