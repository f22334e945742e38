import {
  batchNorm,
  defaultGenerator,
  dropout,
  evalMode,
  evaluating,
  forkRng,
  freezing,
  Generator,
  gradPolicies,
  isGradEnabled,
  isTraining,
  manualSeed,
  mseLoss,
  noGrad,
  ones,
  randn,
  type Tensor,
  trainMode,
} from '@gradgate/core';
import * as nn from '@gradgate/nn';
import {
  BatchNorm1d,
  Dropout,
  functional,
  functionalCall,
  GRU,
  Linear,
  Module,
  MultiheadAttention,
  optim,
  RReLU,
  spectralNorm,
} from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
const zeros = (t: Tensor) => [...t.toTypedArray()].filter((v) => v === 0).length;
const same = (a: Tensor, b: Tensor) => a.equal(b);

describe('evalMode and trainMode', () => {
  it('come before the training of a module, and leave it as it is', () => {
    const drop = new Dropout(0.5);
    const x = ones([200]);
    expect(zeros(drop(x))).toBeGreaterThan(0);
    expect(zeros(evalMode.run(() => drop(x)))).toBe(0);
    drop.eval();
    expect(zeros(trainMode.run(() => drop(x)))).toBeGreaterThan(0);
    expect(evalMode.run(() => trainMode.run(() => drop.training))).toBe(true);
    expect(drop.training).toBe(false);
    drop.train();
    expect([evalMode.run(() => drop.training), drop.training]).toEqual([false, true]);
    expect([isTraining(false), isTraining(true), trainMode.run(() => isTraining(false))]).toEqual([false, true, true]);
    expect(nn.evalMode).toBe(evalMode);
    expect([drop.clone().training, evalMode.run(() => drop.clone()).training]).toEqual([true, true]);
    expect(drop.eval().clone().training).toBe(false);
  });

  it('reach every layer and function that differs in training', () => {
    const x = randn([6, 4]);
    // Many channels: two draws for few of them are equal now and then.
    const sequence = randn([40, 3, 4]);
    const attention = new MultiheadAttention(4, 2, { dropout: 0.5 });
    const gru = new GRU(4, 4, { numLayers: 2, dropout: 0.5 });
    const norm = new BatchNorm1d(4);
    const spectral = spectralNorm(new Linear(4, 4));
    const forms: Record<string, () => Tensor> = {
      dropout: () => dropout(x),
      dropout1d: () => functional.dropout1d(sequence),
      dropout2d: () => functional.dropout2d(sequence),
      alphaDropout: () => functional.alphaDropout(x),
      rrelu: () => functional.rrelu(x, { training: true }),
      RReLU: () => new RReLU()(x),
      attention: () => attention(sequence, sequence, sequence)[0],
      GRU: () => gru(sequence)[0],
    };
    for (const [name, form] of Object.entries(forms)) {
      expect([name, same(form(), form())]).toEqual([name, false]);
      expect([name, evalMode.run(() => same(form(), form()))]).toEqual([name, true]);
    }
    evalMode.run(() => norm(x));
    expect([norm.numBatchesTracked!.item(), norm.runningMean!.equal(x.mean(0).mul(0))]).toEqual([0, true]);
    trainMode.run(() => norm.eval()(x));
    expect(norm.numBatchesTracked!.item()).toBe(1);
    const u = (spectral as unknown as { weightU: Tensor }).weightU;
    const before = u.clone();
    evalMode.run(() => spectral(x));
    expect(same(u, before)).toBe(true);
    // Without running statistics the batch's are all there is.
    expect(evalMode.run(() => same(new BatchNorm1d(4, { trackRunningStats: false })(x), norm.train()(x)))).toBe(false);
    expect(evalMode.run(() => batchNorm(x, null, null, { training: true })).shape).toEqual([6, 4]);
  });

  it('have the forms and conditions of gates, and are listed as policies', async () => {
    class Net extends Module {
      drop = new Dropout(0.5);
      serving = false;
      override forward(x: Tensor): Tensor {
        return this.drop(x);
      }
      @evaluating score(x: Tensor) {
        return [zeros(this.forward(x)) > 0, isGradEnabled()];
      }
      @evalMode(function (this: Net) {
        return this.serving;
      })
      async answer(x: Tensor) {
        await tick();
        return [zeros(this.forward(x)) > 0, isGradEnabled()];
      }
    }
    const net = new Net();
    const x = ones([300]);
    expect(net.score(x)).toEqual([false, false]);
    expect(await net.answer(x)).toEqual([true, true]);
    net.serving = true;
    expect(await net.answer(x)).toEqual([false, true]);
    expect(gradPolicies(Net).map((p) => [p.member, p.gate])).toEqual([
      ['score', 'evaluating'],
      ['answer', 'evalMode'],
    ]);
    {
      using _ = evaluating.enter();
      expect(net.training).toBe(false);
    }
    expect(evaluating.wrap(() => net.training)()).toBe(false);
    expect(
      await evaluating.async(function* () {
        yield tick();
        return net.training;
      })(),
    ).toBe(false);
  });
});

/** What a server that trains goes through: steps with dropout, and requests without, of one model, interleaved. */
it('60 training steps have dropout and 120 requests that are served meanwhile have none: 0 are wrong', async () => {
  class Service extends Module {
    fc = new Linear(64, 64);
    drop = new Dropout(0.5);
    override forward(x: Tensor): Tensor {
      return this.drop(this.fc(x));
    }
    @evaluating async serve(x: Tensor): Promise<Tensor> {
      await tick();
      const y = this.forward(x);
      await null;
      return y.add(this.forward(x));
    }
  }
  const service = new Service();
  const optimizer = new optim.SGD(service.parameters(), { lr: 0.001 });
  const wrong: string[] = [];
  const step = async (i: number) => {
    await tick();
    optimizer.zeroGrad();
    const y = service(randn([2, 64]));
    if (zeros(y) < 20) wrong.push(`step ${i} had no dropout`);
    await null;
    const loss = mseLoss(service(randn([2, 64])), ones([2, 64]));
    if (!loss.requiresGrad) wrong.push(`step ${i} was not recorded`);
    loss.backward();
    optimizer.step();
  };
  const request = async (i: number) => {
    const y = await service.serve(randn([2, 64]));
    if (zeros(y) > 0) wrong.push(`request ${i} had dropout`);
    if (y.requiresGrad) wrong.push(`request ${i} was recorded`);
  };
  const work: Promise<void>[] = [];
  for (let i = 0; i < 60; i++) work.push(request(2 * i), step(i), request(2 * i + 1));
  await Promise.all(work);
  expect(wrong).toEqual([]);
  expect(service.training).toBe(true);
});

it('60 steps, 60 of the head alone, 120 sampled answers and 60 evaluations of other weights at once: 0 are wrong', async () => {
  class Net extends Module {
    backbone = new Linear(8, 64);
    drop = new Dropout(0.5);
    head = new Linear(64, 8);
    override forward(x: Tensor): Tensor {
      return this.head(this.drop(this.backbone(x)));
    }
    @evaluating async evaluate(x: Tensor): Promise<Tensor> {
      await tick();
      const y = this.forward(x);
      await null;
      return y.add(this.forward(x));
    }
  }
  const wrong: string[] = [];
  const expectThat = (holds: boolean, what: string) => void (holds || wrong.push(what));
  const run = async (alone: boolean) => {
    manualSeed(11);
    const net = new Net();
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.001 });
    const seen: number[] = [];
    const step = async (i: number) => {
      await tick();
      const dropped = zeros(net.drop(ones([2, 64])));
      expectThat(dropped > 20, `step ${i} had no dropout`);
      await null;
      optimizer.zeroGrad();
      const loss = mseLoss(net(randn([2, 8])), randn([2, 8]));
      loss.backward();
      expectThat(net.backbone.weight.grad !== null, `step ${i} did not reach the backbone`);
      optimizer.step();
      seen.push(dropped, loss.item());
    };
    const headStep = (i: number) =>
      freezing(net.backbone).run(async () => {
        await tick();
        optimizer.zeroGrad();
        const loss = mseLoss(net(randn([2, 8])), randn([2, 8]));
        await null;
        optimizer.zeroGrad();
        loss.backward();
        expectThat(net.backbone.weight.grad === null, `the backbone was not frozen in step ${i} of the head`);
        expectThat(net.head.weight.grad !== null, `step ${i} of the head did not learn`);
        optimizer.step();
        seen.push(loss.item());
      });
    const weights = Object.fromEntries([...net.namedParameters()].map(([name, p]) => [name, p.detach().clone()]));
    const x = ones([2, 8]);
    const once = evaluating.run(() => net(x));
    const expected = once.add(once);
    const request = async (i: number) => {
      const y = await forkRng(i).run(async () => {
        await tick();
        const x = await net.evaluate(randn([2, 8]));
        await null;
        return { x, drawn: randn([4]) };
      });
      const alike = forkRng(i).run(() => [randn([2, 8]), randn([4])][1]!);
      expectThat(same(y.drawn, alike), `request ${i} drew other numbers`);
      expectThat(!y.x.requiresGrad, `request ${i} was recorded`);
    };
    class Evaluation extends Module {
      net = net;
      override forward(): Promise<Tensor> {
        return this.net.evaluate(x);
      }
    }
    const evaluation = new Evaluation();
    const named = Object.fromEntries(Object.entries(weights).map(([name, t]) => [`net.${name}`, t]));
    const averaged = async (i: number) => {
      const y = await functionalCall(evaluation, named);
      expectThat(!y.requiresGrad && same(y, expected), `evaluation ${i} saw other weights`);
    };
    const work: Promise<void>[] = [];
    for (let i = 0; i < 60; i++) {
      if (!alone) work.push(request(2 * i));
      work.push(step(i));
      if (!alone) work.push(averaged(i));
      work.push(headStep(i));
      if (!alone) work.push(request(2 * i + 1));
    }
    await Promise.all(work);
    expect(net.training).toBe(true);
    return seen;
  };
  const together = await run(false);
  expect(wrong).toEqual([]);
  expect(together).toEqual(await run(true));
  expect(wrong).toEqual([]);
});

describe('forkRng', () => {
  const draw = () => randn([4]).toArray();

  it('draws numbers that do not shift those around it, and from a seed the same at each call', () => {
    manualSeed(1);
    const expected = [draw(), draw()];
    manualSeed(1);
    const first = draw();
    const sampling = forkRng(7);
    const inside = sampling.run(() => [draw(), draw()]);
    expect([first, draw()]).toEqual(expected);
    expect(sampling.run(() => [draw(), draw()])).toEqual(inside);
    manualSeed(7);
    expect([draw(), draw()]).toEqual(inside);
    const seeded = forkRng(7).run(() => {
      manualSeed(1);
      return draw();
    });
    expect(seeded).toEqual(expected[0]);
  });

  it('goes on with a generator, and starts from a copy of the one around it where it is given nothing', () => {
    const generator = new Generator(3);
    const two = [0, 1].map(() => forkRng(generator).run(draw));
    manualSeed(3);
    expect(two).toEqual([draw(), draw()]);
    manualSeed(4);
    const copied = forkRng().run(draw);
    expect(draw()).toEqual(copied);
    expect(defaultGenerator.getState()).not.toEqual(new Generator(4).getState());
    expect(() => forkRng('x' as never)).toThrow(/forkRng: takes a seed or a Generator, got 'x'/);
    expect(() => forkRng(0.5)).toThrow(/whole number/);
  });

  it('keeps flows apart where an evaluation that samples interleaves with training', async () => {
    const train = async () => {
      const drawn: unknown[] = [];
      for (let i = 0; i < 5; i++) {
        drawn.push(draw(), zeros(dropout(ones([50]))));
        await tick();
      }
      return drawn;
    };
    class Net {
      @forkRng(9) async evaluate() {
        const drawn: unknown[] = [];
        for (let i = 0; i < 5; i++) {
          drawn.push(draw());
          await tick();
        }
        return drawn;
      }
    }
    manualSeed(5);
    const alone = await train();
    const evaluated = await new Net().evaluate();
    manualSeed(5);
    const [together, beside] = await Promise.all([
      train(),
      new Net().evaluate(),
      noGrad.run(() => new Net().evaluate()),
    ]);
    expect([together, beside]).toEqual([alone, evaluated]);
  });
});
