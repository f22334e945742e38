import {
  evaluating,
  forkRng,
  isGradEnabled,
  manualSeed,
  mseLoss,
  noGrad,
  ones,
  type Tensor,
  tensor,
} from '@gradgate/core';
import { data, Linear, Module, metrics, optim } from '@gradgate/nn';
import { EarlyStopping, evaluate, fit } from '@gradgate/train';
import { describe, expect, it } from 'vitest';
import { Classifier, loaderOf } from './models.js';

const adam = (model: Module, lr = 0.05) => new optim.Adam(model.parameters(), { lr });

/** One weight that starts at 1, and whose gradient for a batch x is the mean of x. */
class Slope extends Module {
  readonly seen: number[] = [];
  layer = new Linear(1, 1, { bias: false });
  constructor() {
    super();
    noGrad.run(() => this.layer.weight.fill_(1));
  }
  trainingStep(x: Tensor) {
    return this.layer(x).mean();
  }
  get weight(): number {
    return this.layer.weight.item();
  }
}
const column = (...values: number[]) => tensor(values.map((v) => [v]));

describe('fit', () => {
  it('learns, and gives each figure by epoch', async () => {
    manualSeed(1);
    const model = new Classifier();
    const run = await fit(model, {
      train: loaderOf(128, 1),
      validation: loaderOf(64, 2),
      optimizer: adam(model),
      epochs: 5,
    });
    expect(Object.keys(run.history)).toEqual(['loss', 'accuracy', 'valLoss', 'valAccuracy']);
    for (const values of Object.values(run.history)) expect(values).toHaveLength(5);
    expect(run.history['valAccuracy']!.at(-1)).toBeGreaterThan(0.9);
    expect(run.history['loss']!.at(-1)).toBeLessThan(run.history['loss']![0]! / 2);
    expect({ epoch: run.epoch, step: run.step, samples: run.samples }).toEqual({ epoch: 5, step: 80, samples: 640 });
  });

  it('trains in the modes of the caller and validates under evaluating, whatever the model says', async () => {
    const model = new Classifier();
    await fit(model, { train: loaderOf(16, 1), validation: loaderOf(8, 2), optimizer: adam(model), epochs: 1 });
    expect(model.modes).toEqual([
      ...new Array(2).fill('training: grad true, dropout true'),
      'validation: grad false, dropout false',
    ]);
    expect(model.training).toBe(true);
  });

  it('the figures are means over samples, not over batches', async () => {
    const model = new Slope();
    const run = await fit(model, { train: [column(1, 1, 1), column(5)], optimizer: adam(model, 0), epochs: 1 });
    expect(run.history['loss']).toEqual([2]);
  });

  it('a batch of texts has as many samples as texts', async () => {
    const train = new data.DataLoader(['a', 'b', 'c'], { batchSize: 2 });
    const run = await fit(new Linear(1, 1), { train, trainingStep: (texts) => ({ loss: texts.length }), epochs: 1 });
    expect([run.samples, run.history['loss']]).toEqual([3, [5 / 3]]);
  });

  it('takes functions in place of methods, and other optimizers by hand', async () => {
    const layer = new Linear(1, 1);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
    const run = await fit(layer, {
      train: [ones([4, 1])],
      epochs: 30,
      trainingStep: (x) => {
        const loss = mseLoss(layer(x), x.mul(3));
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return { loss, rate: 0.1 };
      },
      validation: [ones([1, 1])],
      validationStep: (x) => ({ prediction: layer(x) }),
    });
    expect(run.history['rate']).toEqual(new Array(30).fill(0.1));
    expect(run.history['valPrediction']!.at(-1)).toBeCloseTo(3, 1);
  });

  it('without validationStep, trainingStep validates, recording nothing', async () => {
    const model = new Slope();
    const run = await fit(model, { train: [column(1)], validation: [column(4)], optimizer: adam(model, 0), epochs: 1 });
    expect(run.history).toEqual({ loss: [1], valLoss: [4] });
  });

  it('accumulates: batches make the step of their mean, and what is left at the end of an epoch makes one', async () => {
    const model = new Slope();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    const weights: number[] = [];
    const onStep = () => void weights.push(model.weight);
    const train = [column(1), column(2), column(4)];
    await fit(model, { train, optimizer, epochs: 1, accumulateGradBatches: 2, callbacks: [{ onStep }] });
    expect(weights).toEqual([1 - 1.5, 1 - 1.5 - 2]);
  });

  it('clips by norm and by value', async () => {
    const clipped = async (options: object) => {
      const model = new Slope();
      const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
      await fit(model, { train: [column(8)], optimizer, epochs: 1, ...options });
      return model.weight;
    };
    expect(await clipped({})).toBe(-7);
    expect(await clipped({ clipGradNorm: 0.5 })).toBeCloseTo(0.5, 5);
    expect(await clipped({ clipGradValue: 0.25 })).toBe(0.75);
  });

  it('steps schedulers each epoch or each step, and a plateau by the figure that is watched', async () => {
    const rates = async (make: (o: optim.SGD) => optim.LRScheduler | optim.ReduceLROnPlateau, options: object = {}) => {
      const model = new Slope();
      const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
      const seen: number[] = [];
      const onStep = () => void seen.push(optimizer.paramGroups[0]!.lr);
      const train = [column(0), column(0)];
      await fit(model, {
        train,
        optimizer,
        scheduler: make(optimizer),
        epochs: 2,
        callbacks: [{ onStep }],
        ...options,
      });
      return seen;
    };
    const halving = (o: optim.SGD) => new optim.StepLR(o, { stepSize: 1, gamma: 0.5 });
    expect(await rates(halving)).toEqual([1, 1, 0.5, 0.5]);
    expect(await rates(halving, { schedulerInterval: 'step' })).toEqual([0.5, 0.25, 0.125, 0.0625]);
    const plateau = (o: optim.SGD) => new optim.ReduceLROnPlateau(o, { factor: 0.1, patience: 0 });
    expect(await rates(plateau, { epochs: 3 })).toEqual([1, 1, 1, 1, 0.1, 0.1]);
  });

  it('maxSteps ends it within an epoch, whose figures are of what was seen', async () => {
    const model = new Slope();
    const run = await fit(model, { train: [column(1), column(3), column(9)], optimizer: adam(model, 0), maxSteps: 2 });
    expect(run.history).toEqual({ loss: [2] });
    expect(run.stopReason).toBe('maxSteps, 2, are done');
  });

  it('a step that gives nothing does not count', async () => {
    const model = new Slope();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    const trainingStep = (x: Tensor) => (x.item() > 5 ? undefined : model.layer(x).mean());
    const run = await fit(model, { train: [column(1), column(9)], optimizer, epochs: 1, trainingStep });
    expect({ weight: model.weight, step: run.step, loss: run.history['loss'] }).toEqual({
      weight: 0,
      step: 1,
      loss: [1],
    });
  });

  it('refuses steps that give nothing at all, where an optimizer waits for losses', async () => {
    const model = new Slope();
    const options = { train: [column(1), column(2)], epochs: 1, trainingStep: () => undefined };
    await expect(fit(model, { ...options, optimizer: adam(model) })).rejects.toThrow(
      'trainingStep: returned nothing for all 2 batches of epoch 1, so nothing was learned; return the loss',
    );
    expect((await fit(model, options)).step).toBe(0);
  });

  it('refuses a model that is frozen as a whole', async () => {
    const model = new Slope();
    model.requiresGrad_(false);
    await expect(fit(model, { train: [column(1)], epochs: 1, optimizer: adam(model) })).rejects.toThrow(
      'fit: none of the 1 tensors that the optimizer steps requires grad, so nothing would be learned',
    );
  });

  it('refuses a scheduler of another optimizer', async () => {
    const model = new Slope();
    const [optimizer, other] = [adam(model), adam(model)];
    const options = { train: [column(1)], epochs: 1, optimizer };
    const scheduler = new optim.ExponentialLR(other, { gamma: 0.5 });
    await expect(fit(model, { ...options, scheduler })).rejects.toThrow(
      'fit: the scheduler is one of another optimizer',
    );
    await expect(fit(model, { ...options, scheduler: new optim.ReduceLROnPlateau(other) })).rejects.toThrow(
      'fit: the scheduler is one of another optimizer',
    );
    const own = new optim.ExponentialLR(optimizer, { gamma: 0.5 });
    await fit(model, { ...options, scheduler: new optim.ChainedScheduler([own]) });
    expect(optimizer.paramGroups[0]!.lr).toBe(0.025);
  });

  it('closes all callbacks, and tells the error that ended the run before those of closing', async () => {
    const closed: string[] = [];
    const callbacks = ['a', 'b', 'c'].map((name) => ({
      close() {
        closed.push(name);
        if (name !== 'c') throw new Error(`closing ${name}`);
      },
    }));
    const model = new Slope();
    const options = { train: [column(1)], epochs: 1, optimizer: adam(model), callbacks };
    await expect(fit(model, options)).rejects.toThrow('closing a');
    expect(closed.join('')).toBe('abc');
    const trainingStep = () => {
      throw new Error('the step');
    };
    await expect(fit(model, { ...options, trainingStep })).rejects.toThrow('the step');
    expect(closed.join('')).toBe('abcabc');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'a loss of %s ends it with an error before the step',
    async (value) => {
      const model = new Slope();
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 });
      const train = [column(1), column(value)];
      const running = fit(model, { train, optimizer, epochs: 1 });
      await expect(running).rejects.toThrow(`fit: the loss is ${value} in batch 2 of epoch 1.`);
      expect(model.weight).toBe(0.5);
    },
  );

  it('also where batches are accumulated, and where the step steps by itself', async () => {
    const model = new Slope();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    const train = [column(Number.NaN), column(1)];
    await expect(fit(model, { train, optimizer, epochs: 1, accumulateGradBatches: 2 })).rejects.toThrow(/batch 1 of/);
    const trainingStep = () => ({ loss: Number.NaN });
    await expect(fit(model, { train, epochs: 1, trainingStep })).rejects.toThrow(
      /the loss is NaN in batch 1 of epoch 1/,
    );
    expect(model.weight).toBe(1);
  });

  it('with terminateOnNan false it goes on', async () => {
    const model = new Slope();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    const train = [column(1), column(Number.NaN)];
    const run = await fit(model, { train, optimizer, epochs: 2, terminateOnNan: false });
    expect([run.step, run.history['loss'], model.weight]).toEqual([4, [Number.NaN, Number.NaN], Number.NaN]);
  });

  it('refuses an optimizer of another model, and takes one of a part or of more', async () => {
    const [model, other] = [new Slope(), new Slope()];
    const options = { train: [column(1)], epochs: 1 };
    const both = [...model.parameters(), ...other.parameters()];
    await expect(fit(model, { ...options, optimizer: adam(other) })).rejects.toThrow(
      'fit: the optimizer steps 1 tensors, and none is a parameter of Slope, so nothing would be learned',
    );
    await fit(model, { ...options, optimizer: new optim.Adam(both) });
    expect(model.weight).not.toBe(1);
  });

  it('metrics are put together over ranks', async () => {
    const model = new Slope();
    // Another rank that has seen the same.
    const ranks = { rank: () => 0, worldSize: () => 1, allReduce: (t: Tensor) => t.mul_(2) };
    const run = await fit(model, { train: [column(1, 3)], optimizer: adam(model, 0), epochs: 1, ranks });
    expect(run.history['loss']).toEqual([2]);
  });
});

describe('in one process', () => {
  it('two runs at once go as each would alone', async () => {
    const train = (seed: number) =>
      forkRng(seed).run(async () => {
        const model = new Classifier();
        const optimizer = adam(model);
        return fit(model, { train: loaderOf(64, seed), validation: loaderOf(32, 9), optimizer, epochs: 3 });
      });
    const alone = [await train(1), await train(2)];
    const together = await Promise.all([train(1), train(2)]);
    expect(together.map((run) => run.history)).toEqual(alone.map((run) => run.history));
    expect(alone[0]!.history).not.toEqual(alone[1]!.history);
  });

  it('what serves the model meanwhile is in its own modes and gets its turn', async () => {
    const model = new Classifier();
    const served: boolean[] = [];
    let isOver = false;
    const serve = evaluating.wrap(async () => {
      while (!isOver) {
        await new Promise((resolve) => setTimeout(resolve));
        served.push(isGradEnabled() || model.training);
        model(ones([1, 2]));
      }
    });
    const serving = serve();
    const run = fit(model, { train: loaderOf(4096, 1), optimizer: adam(model), epochs: 1 });
    await run.finally(() => {
      isOver = true;
    });
    await serving;
    expect(served.length).toBeGreaterThan(3);
    expect(served).not.toContain(true);
    expect(new Set(model.modes)).toEqual(new Set(['training: grad true, dropout true']));
  });

  it('a signal ends it with its reason, at once or while it runs', async () => {
    const model = new Slope();
    const optimizer = adam(model, 0);
    const stopped = AbortSignal.abort(new Error('before'));
    await expect(fit(model, { train: [column(1)], optimizer, epochs: 1, signal: stopped })).rejects.toThrow('before');
    const controller = new AbortController();
    const seen: string[] = [];
    const callbacks = [
      {
        onStep: () => controller.abort(new Error('while')),
        onAbort: () => seen.push('abort'),
        onFitEnd: () => seen.push('end'),
        close: () => seen.push('close'),
      },
    ];
    const { signal } = controller;
    const run = fit(model, { train: [column(1), column(1)], optimizer, epochs: 1, signal, callbacks });
    await expect(run).rejects.toThrow('while');
    expect(seen).toEqual(['abort', 'close']);
  });
});

it('figures may have the names of what all objects inherit, but for __proto__', async () => {
  const model = new Slope();
  const fitWith = (name: string) =>
    fit(model, {
      train: [column(1), column(2)],
      optimizer: adam(model, 0),
      epochs: 2,
      trainingStep: (batch) => ({ loss: model.trainingStep(batch), [name]: 3 }),
    });
  for (const name of ['constructor', 'toString', 'hasOwnProperty'])
    expect((await fitWith(name)).history[name]).toEqual([3, 3]);
  await expect(fitWith('__proto__')).rejects.toThrow(/a figure cannot have the name __proto__/);
});

describe('fit refuses', () => {
  const model = new Slope();
  const optimizer = adam(model);
  const train = [column(1)];
  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'what is no module',
      () => fit({} as Module, { train, optimizer, epochs: 1 }),
      /the model must be a Module, got an object/,
    ],
    [
      'misspelled options',
      () => fit(model, { train, optimizer, epoch: 1 } as never),
      /no option 'epoch'; did you mean 'epochs'/,
    ],
    ['no number of epochs', () => fit(model, { train, optimizer }), /give epochs or maxSteps/],
    [
      'no step',
      () => fit(new Linear(1, 1) as Module, { train, epochs: 1 }),
      /Linear has no method trainingStep\(batch\)/,
    ],
    [
      'a tensor as batches',
      () => fit(model, { train: column(1) as never, optimizer, epochs: 1 }),
      /train must be a DataLoader/,
    ],
    [
      'what is no optimizer',
      () => fit(model, { train, optimizer: 'adam' as never, epochs: 1 }),
      /the optimizer must be one of optim, got 'adam'/,
    ],
    [
      'an optimizer without a state',
      () => fit(model, { train, optimizer: { step() {}, zeroGrad() {} } as never, epochs: 1 }),
      /^fit: the optimizer must be one of optim, got an object/,
    ],
    [
      'what is no signal',
      () => fit(model, { train, optimizer, epochs: 1, signal: {} as never }),
      /^fit: signal must be an AbortSignal, got an object/,
    ],
    [
      'a callback that is null',
      () => fit(model, { train, optimizer, epochs: 1, callbacks: [{ close() {} }, null as never] }),
      /^fit: callbacks\[1\] must be a callback, an object with some of onFitStart, .*, got null/,
    ],
    [
      'a class in place of a callback',
      () => fit(model, { train, optimizer, epochs: 1, callbacks: [EarlyStopping as never] }),
      /^fit: callbacks\[0\] must be a callback, .* got a function/,
    ],
    [
      'a callback with a misspelled method',
      () => fit(model, { train, optimizer, epochs: 1, callbacks: [{ close() {}, onEpochend() {} } as never] }),
      /^fit: callbacks\[0\] must be a callback, an object with some of .*onEpochEnd/,
    ],
    [
      'callbacks that are no array',
      () => fit(model, { train, optimizer, epochs: 1, callbacks: new Set([{ close() {} }]) as never }),
      /^fit: callbacks must be an array/,
    ],
    [
      'what is no checkpoint',
      () => fit(model, { train, optimizer, epochs: 1, resume: 3 as never }),
      /^fit: resume must be the path or the bytes of a checkpoint, got 3/,
    ],
    [
      'a loss that is a number',
      () => fit(model, { train, optimizer, epochs: 1, trainingStep: () => ({ loss: 1 }) }),
      /must return the loss, a Tensor.*got 1/,
    ],
    [
      'figures of many elements',
      () =>
        fit(model, {
          train,
          optimizer,
          epochs: 1,
          trainingStep: (x) => ({ loss: model.layer(x).mean(), all: ones([2]) }),
        }),
      /all must be a number, a tensor of one element or a metric.*float32 tensor of shape \[2\]/,
    ],
    [
      'a generator in its second epoch',
      () =>
        fit(model, {
          train: (function* () {
            yield column(1);
          })(),
          optimizer,
          epochs: 2,
        }),
      /train has no batches in epoch 2/,
    ],
    [
      'no batch to validate on',
      () => fit(model, { train, validation: [], optimizer, epochs: 1 }),
      /validationStep: there are no batches to evaluate/,
    ],
    [
      'a metric that is made anew',
      () =>
        fit(model, {
          train: [...train, ...train],
          optimizer,
          epochs: 1,
          trainingStep: (x) => {
            const mean = new metrics.Mean();
            mean.update(1);
            return { loss: model.layer(x).mean(), mean };
          },
        }),
      /mean is a different metric than in the batch before/,
    ],
    ['a run that records nothing', () => noGrad.run(() => fit(model, { train, optimizer, epochs: 1 })), /noGrad/],
  ])('%s', async (_what, run, message) => {
    await expect(run()).rejects.toThrow(message);
  });
});

describe('evaluate', () => {
  it('gives the figures of a model, and resets its metrics', async () => {
    manualSeed(3);
    const model = new Classifier();
    const figures = await evaluate(model, loaderOf(32, 1));
    const again = await evaluate(model, loaderOf(32, 1));
    expect(again).toEqual(figures);
    expect(Object.keys(figures)).toEqual(['loss', 'accuracy']);
    expect(model.accuracy.isEmpty).toBe(true);
  });

  it('takes a step and a signal', async () => {
    const layer = new Linear(1, 1);
    const step = (x: Tensor) => ({ grad: Number(layer(x).requiresGrad) });
    expect(await evaluate(layer, [column(1)], { step })).toEqual({ grad: 0 });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(evaluate(layer, [column(1)], { step, signal })).rejects.toThrow('enough');
  });

  it.each<[string, unknown, object, RegExp]>([
    ['what is no module', undefined, {}, /^evaluate: the model must be a Module, got undefined/],
    ['a tensor as the model', column(1), {}, /^evaluate: the model must be a Module, got a float32 tensor/],
    ['what is no signal', new Slope(), { signal: {} }, /^evaluate: signal must be an AbortSignal, got an object/],
    [
      'a controller',
      new Slope(),
      { signal: new AbortController() },
      /^evaluate: signal must be an AbortSignal, got an inst/,
    ],
  ])('refuses %s', async (_, model, options, message) => {
    await expect(evaluate(model as never, [column(1)], options)).rejects.toThrow(message);
  });
});
