import { equal, manualSeed, randint, randn, type Tensor } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Embedding,
  functional as F,
  Flatten,
  GELU,
  LayerNorm,
  Linear,
  LSTM,
  MaxPool2d,
  Module,
  optim,
  ReLU,
  Sequential,
  TransformerEncoderLayer,
} from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

class Recurrent extends Module {
  embed = new Embedding(10, 8);
  lstm = new LSTM(8, 16, { batchFirst: true });
  head = new Linear(16, 4);
  override forward(x: Tensor): Tensor {
    const [out] = this.lstm(this.embed(x));
    return this.head(out.select(1, -1));
  }
}

class Encoder extends Module {
  layer = new TransformerEncoderLayer(16, 2, { dimFeedforward: 32, dropout: 0.1, batchFirst: true });
  norm = new LayerNorm(16);
  head = new Linear(16, 4);
  override forward(x: Tensor): Tensor {
    return this.head(this.norm(this.layer(x)).mean(1));
  }
}

const models: [string, () => Module, () => Tensor][] = [
  [
    'MLP with batch norm and dropout',
    () => new Sequential(new Linear(16, 32), new BatchNorm1d(32), new ReLU(), new Dropout(0.2), new Linear(32, 4)),
    () => randn([8, 16]),
  ],
  [
    'CNN',
    () =>
      new Sequential(
        new Conv2d(1, 4, 3, { padding: 1 }),
        new BatchNorm2d(4),
        new ReLU(),
        new MaxPool2d(2),
        new Flatten(),
        new Linear(64, 4),
      ),
    () => randn([8, 1, 8, 8]),
  ],
  ['transformer layer', () => new Encoder(), () => randn([8, 5, 16])],
  ['LSTM over an embedding', () => new Recurrent(), () => randint(0, 10, [8, 5])],
  ['GELU', () => new Sequential(new Linear(16, 16), new GELU(), new Linear(16, 4)), () => randn([8, 16])],
];

const optimizers: [string, (p: Iterable<Tensor>) => optim.Optimizer<{ lr: number }>][] = [
  ['SGD', (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 })],
  ['Adam', (p) => new optim.Adam(p)],
  ['AdamW', (p) => new optim.AdamW(p, { amsgrad: true })],
  ['RMSprop', (p) => new optim.RMSprop(p)],
];

/** Trains with a scheduler and clipping; `guard` is what makes a step of the function that does one. */
function train(
  make: () => Module,
  data: () => Tensor,
  optimizerOf: (p: Iterable<Tensor>) => optim.Optimizer<{ lr: number }>,
  guard: <F extends (x: Tensor, y: Tensor) => Tensor>(step: F) => F,
) {
  manualSeed(1);
  const net = make();
  const optimizer = optimizerOf(net.parameters());
  const scheduler = new optim.ExponentialLR(optimizer, { gamma: 0.9 });
  const step = guard((x: Tensor, y: Tensor) => {
    optimizer.zeroGrad();
    const loss = F.crossEntropy((net as unknown as (x: Tensor) => Tensor)(x), y);
    loss.backward();
    optim.clipGradNorm_(net.parameters(), 0.5);
    optimizer.step();
    scheduler.step();
    return loss.detach();
  });
  const losses = Array.from({ length: 6 }, () => step(data(), randint(0, 4, [8])).item());
  return {
    net,
    optimizer,
    losses,
    tensors: [...Object.values(net.stateDict()), ...[...net.parameters()].map((p) => p.grad!)],
  };
}

describe('a compiled training step', () => {
  it.each(models.flatMap(([name, make, data]) => optimizers.map(([by, of]) => [name, by, make, data, of] as const)))(
    'gives the losses, weights, buffers and gradients of the plain one, to the last bit: %s, %s',
    (_, __, make, data, of) => {
      const plain = train(make, data, of, (step) => step);
      let explain: (() => { replays: number; breaks: readonly unknown[] }) | null = null;
      const fast = train(make, data, of, (step) => {
        const compiled = compile(step);
        explain = compiled.explain;
        return compiled;
      });
      expect(fast.losses).toEqual(plain.losses);
      fast.tensors.forEach((t, i) => {
        expect(equal(t, plain.tensors[i]!)).toBe(true);
      });
      expect(fast.optimizer.paramGroups[0]!.lr).toBe(plain.optimizer.paramGroups[0]!.lr);
      expect(explain!()).toMatchObject({ replays: 5, breaks: [] });
      train(make, data, of, (step) => compile(step, { check: true }));
    },
  );

  it('goes on rightly after loadStateDict, another learning rate, eval() and a frozen layer', () => {
    const run = (guard: <F extends (x: Tensor) => Tensor>(step: F) => F) => {
      manualSeed(2);
      const net = new Sequential(new Linear(8, 8), new Dropout(0.5), new Linear(8, 1));
      const optimizer = new optim.Adam(net.parameters(), { lr: 0.1 });
      const step = guard((x: Tensor) => {
        optimizer.zeroGrad();
        const loss = (net(x) as Tensor).square().mean();
        loss.backward();
        optimizer.step();
        return loss.detach();
      });
      const seen: unknown[] = [];
      const some = () => {
        for (let i = 0; i < 3; i++) seen.push(step(randn([4, 8])).item());
      };
      some();
      net.loadStateDict(new Sequential(new Linear(8, 8), new Dropout(0.5), new Linear(8, 1)).stateDict());
      some();
      optimizer.paramGroups[0]!.lr = 0.01;
      some();
      net.eval();
      some();
      net.train();
      [...net.parameters()][0]!.requiresGrad = false;
      some();
      seen.push(...Object.values(net.stateDict()).map((t) => t.toArray()));
      return seen;
    };
    let report: (() => { replays: number; breaks: readonly unknown[] }) | null = null;
    const fast = run((step) => {
      const compiled = compile(step);
      report = compiled.explain;
      return compiled;
    });
    expect(fast).toEqual(run((step) => step));
    expect(report!()).toMatchObject({ calls: 15, replays: 12, breaks: [] });
  });

  it('a module in evaluation, and hooks on calls', () => {
    const net = new Sequential(new Linear(4, 4), new ReLU());
    net.requiresGrad_(false);
    const fast = compile((x: Tensor) => net(x) as Tensor);
    for (let i = 0; i < 3; i++) {
      const x = randn([2, 4]);
      expect(equal(fast(x), net(x) as Tensor)).toBe(true);
    }
    expect(fast.explain().replays).toBe(2);
    net.registerForwardHook(() => {});
    const hooked = compile((x: Tensor) => net(x) as Tensor);
    hooked(randn([2, 4]));
    expect(hooked.explain().breaks[0]!.why).toBe('a hook on a call of Sequential runs');
  });
});

describe('a replay is for what modules and optimizers hold', () => {
  /** What five calls give, of a program as it is and with `compile`. */
  const both = (program: (c: <F extends (...args: any[]) => any>(fn: F) => F) => (i: number) => Tensor) => {
    const results = (c: <F extends (...args: any[]) => any>(fn: F) => F) => {
      manualSeed(1);
      const call = program(c);
      return [0, 1, 2, 3, 4].map((i) => call(i).toArray());
    };
    return [results(compile), results((fn) => fn)];
  };
  class Scale extends Module {
    options = { rate: 1 };
    override forward(x: Tensor): Tensor {
      return this.training ? x.mul(this.options.rate) : x;
    }
  }
  const programs: Record<string, Parameters<typeof both>[0]> = {
    'fields of a module whose forward() is called directly': (c) => {
      const scale = new Scale();
      const forward = c((x: Tensor) => scale.forward(x));
      return (i) => {
        scale.options.rate = 2 * i;
        scale.train(i !== 3);
        return forward(randn([2]));
      };
    },
    'fields of a module that is not called': (c) => {
      const scale = new Scale();
      const forward = c((x: Tensor) => x.mul(scale.options.rate));
      return (i) => {
        scale.options.rate = i;
        return forward(randn([2]));
      };
    },
    'hooks that a module gets later': (c) => {
      const layer = new Linear(2, 2);
      const net = new Sequential(layer, new ReLU());
      const forward = c((x: Tensor) => net(x));
      return (i) => {
        const hook = i === 2 ? layer.registerForwardHook((_, __, y) => y.mul(100)) : null;
        const y = forward(randn([3, 2]));
        hook?.remove();
        return y;
      };
    },
    'parameters that an optimizer gets later': (c) => {
      const [a, b] = [new Linear(2, 2), new Linear(2, 2)];
      const optimizer = new optim.SGD(a.parameters(), { lr: 0.1 });
      const step = c((x: Tensor) => {
        optimizer.zeroGrad();
        a(x).add(b(x)).square().mean().backward();
        optimizer.step();
      });
      return (i) => {
        if (i === 2) optimizer.addParamGroup({ params: b.parameters() });
        step(randn([3, 2]));
        return b.weight.detach().clone();
      };
    },
    'the factor of a GradScaler, and steps that it leaves out': (c) => {
      const layer = new Linear(2, 2);
      const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
      const scaler = new optim.GradScaler({ growthInterval: 1 });
      const step = c((x: Tensor) => {
        optimizer.zeroGrad();
        scaler.scale(layer(x).square().mean()).backward();
        scaler.step(optimizer);
        scaler.update();
      });
      return (i) => {
        step(randn([3, 2]).mul(i === 2 ? Number.POSITIVE_INFINITY : 1));
        return layer.weight.detach().clone();
      };
    },
  };
  it.each(Object.keys(programs))('%s', (name) => {
    const [compiled, plain] = both(programs[name]!);
    expect(compiled).toEqual(plain);
  });
});
