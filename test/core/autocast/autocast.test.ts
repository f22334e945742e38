import { readFileSync } from 'node:fs';
import * as core from '@gradgate/core';
import { grad, mseLoss, noGrad, ones, randn, type Tensor, tensor } from '@gradgate/core';
import { autocast, getAutocastDtype, isAutocastEnabled } from '@gradgate/core/autocast';
import { checkpoint } from '@gradgate/core/checkpoint';
import { compile } from '@gradgate/core/compile';
import { vmap } from '@gradgate/core/func';
import * as linalg from '@gradgate/core/linalg';
import {
  BatchNorm2d,
  Conv2d,
  Flatten,
  functional,
  LayerNorm,
  Linear,
  LSTM,
  optim,
  ReLU,
  Sequential,
  TransformerEncoderLayer,
} from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

interface Stored {
  readonly shape: number[];
  readonly dtype: core.DType;
  readonly data: number[];
}
interface Line {
  readonly js: string;
  readonly lowerFirst: boolean;
  readonly inputs: Stored[];
  readonly output: Stored;
  readonly grads: (Stored | null)[];
}

const lines: Line[] = readFileSync(new URL('../../golden/autocast.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** The largest difference, measured by the largest number. */
function error(t: Tensor, { data }: Stored): number {
  const got = t.detach().float().flatten().toTypedArray();
  const size = Math.max(...data.map(Math.abs), 1e-6);
  return Math.max(...data.map((v, i) => Math.abs(v - got[i]!))) / size;
}

describe('dtypes, values and gradients are those of PyTorch on the CPU', () => {
  it.each(lines.map((line) => [`${line.js}${line.lowerFirst ? ', the first in bfloat16' : ''}`, line] as const))(
    '%s',
    (_, { js, lowerFirst, inputs, output, grads }) => {
      const leaves = inputs.map(({ shape, dtype, data }) =>
        tensor(data, { shape, dtype }).requiresGrad_(dtype === 'float32'),
      );
      const call = new Function('core', 'linalg', 'functional', ...'abc', `return ${js}`);
      const out: Tensor = autocast('bfloat16').run(() =>
        call(core, linalg, functional, ...leaves.map((t, i) => (lowerFirst && i === 0 ? t.to('bfloat16') : t))),
      );
      expect(out.dtype).toBe(output.dtype);
      expect(out.shape).toEqual(output.shape);
      // One step of bfloat16 is 2^-8; sums in it are rounded in another order.
      const tolerance = output.dtype === 'bfloat16' || lowerFirst ? 2 ** -7 : 1e-5;
      expect(error(out, output)).toBeLessThan(tolerance);
      const weights = core
        .arange(1, out.numel + 1)
        .float()
        .div(out.numel)
        .reshape(out.shape);
      out.float().mul(weights).sum().backward();
      grads.forEach((g, i) => {
        if (g === null) return;
        expect(leaves[i]!.grad!.dtype).toBe('float32');
        expect(error(leaves[i]!.grad!, g)).toBeLessThan(2 * tolerance);
      });
    },
  );
});

describe('the gate', () => {
  const x = randn([2, 3]);
  const w = randn([3, 2]);
  const product = () => x.matmul(w).dtype;

  it('is a decorator, and has run, wrap and enter; it nests, and false switches it off', () => {
    const half = autocast('float16');
    class Net {
      flag = true;
      @autocast('bfloat16') always(): string {
        return product();
      }
      @half(function (this: Net) {
        return this.flag;
      })
      sometimes(): string {
        return product();
      }
    }
    const net = new Net();
    expect([net.always(), net.sometimes()]).toEqual(['bfloat16', 'float16']);
    net.flag = false;
    expect(net.sometimes()).toBe('float32');
    expect(autocast('bfloat16').wrap(product)()).toBe('bfloat16');
    {
      using _ = autocast('float16').enter();
      expect([product(), isAutocastEnabled(), getAutocastDtype()]).toEqual(['float16', true, 'float16']);
      expect(autocast('bfloat16').run(product)).toBe('bfloat16');
      expect(autocast(false).run(() => [product(), isAutocastEnabled()])).toEqual(['float32', false]);
      expect(product()).toBe('float16');
    }
    expect([product(), isAutocastEnabled(), getAutocastDtype()]).toEqual(['float32', false, null]);
  });

  it('covers async functions and generators, and no other flow', async () => {
    const slow = autocast('bfloat16').wrap(async () => {
      await null;
      return product();
    });
    const plain = async () => {
      await null;
      return product();
    };
    expect(await Promise.all([slow(), plain(), slow()])).toEqual(['bfloat16', 'float32', 'bfloat16']);
    const steps = autocast('float16').wrap(function* () {
      yield product();
      yield product();
    });
    const seen: string[] = [];
    for (const dtype of steps()) seen.push(dtype, product());
    expect(seen).toEqual(['float16', 'float32', 'float16', 'float32']);
  });

  it('ends with an error', () => {
    expect(() =>
      autocast('bfloat16').run(() => {
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(product()).toBe('float32');
  });

  it.each([['float32'], ['float64'], [true], [undefined], [null], [3]])('refuses %s', (dtype) => {
    expect(() => autocast(dtype as never)).toThrow(/^autocast: takes 'bfloat16', 'float16' or false, got/);
  });

  it('leaves float64, integers and what is refused anyway alone', () => {
    const run = <R>(f: () => R) => autocast('bfloat16').run(f);
    expect(run(() => x.double().matmul(w.double()).dtype)).toBe('float64');
    expect(
      run(
        () =>
          ones([2, 2])
            .int()
            .matmul(ones([2, 2]).int()).dtype,
      ),
    ).toBe('int32');
    expect(() => run(() => x.double().matmul(w))).toThrow(/^matmul: takes two tensors of one dtype/);
    expect(() => run(() => core.matmul(3 as never, w))).toThrow(/^matmul: expected two Tensors, got 3/);
    expect(() => run(() => core.linear(null as never, w))).toThrow(/^linear: expected two Tensors/);
    expect(() => run(() => mseLoss(x, undefined as never))).toThrow(/^mseLoss: expected a Tensor, got undefined/);
  });
});

describe('gradients of parameters under autocast', () => {
  const model = () => new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 1));
  const x = randn([5, 3]);
  const gradsOf = (net: Sequential) => [...net.parameters()].map((p) => p.grad);
  const low = autocast('bfloat16');

  // pytorch#158232: there a copy that was made under no_grad is used again, without a gradient.
  it('are not lost where the model was called under noGrad before, in the same autocast', () => {
    const net = model();
    low.run(() => {
      noGrad.run(() => net(x));
      (net(x) as Tensor).float().sum().backward();
    });
    for (const g of gradsOf(net)) expect(g?.abs().sum().item()).toBeGreaterThan(0);
  });

  // pytorch#112583: the same by an evaluation between two steps of training.
  it('are not lost where evaluation and training alternate', () => {
    const net = model();
    low.run(() => {
      for (let i = 0; i < 3; i++) {
        for (const p of net.parameters()) p.grad = null;
        core.evaluating.run(() => net(x));
        (net(x) as Tensor).float().sum().backward();
        for (const g of gradsOf(net)) expect(g?.abs().sum().item()).toBeGreaterThan(0);
        core.inferenceMode.run(() => net(x));
      }
    });
  });

  // pytorch#65766: a layer that is applied again and again, with gradients in the last round only.
  it('are not lost where only the last of several rounds through a layer is recorded', () => {
    const layer = new Linear(3, 3);
    low.run(() => {
      let out = x;
      for (let i = 0; i < 4; i++) out = (i === 3 ? core.enableGrad : noGrad).run(() => layer(out) as Tensor);
      out.float().sum().backward();
    });
    for (const p of layer.parameters()) expect(p.grad!.abs().sum().item()).toBeGreaterThan(0);
  });

  // pytorch#105211: evaluation under no_grad, then training, of a network of convolutions and norms.
  it('reach every parameter of a convolutional network that was evaluated just before', () => {
    const net = new Sequential(
      new Conv2d(1, 2, 3),
      new BatchNorm2d(2),
      new ReLU(),
      new Conv2d(2, 2, 3),
      new BatchNorm2d(2),
      new Flatten(),
      new Linear(8, 3),
    );
    const images = randn([4, 1, 6, 6]);
    low
      .run(() => {
        net.eval();
        noGrad.run(() => net(images));
        net.train();
        return net(images) as Tensor;
      })
      .float()
      .square()
      .sum()
      .backward();
    for (const [name, p] of net.namedParameters()) expect(p.grad, name).not.toBeNull();
  });

  // pytorch#112583: there the output of a linear layer has no graph, and a norm behind it has one.
  it('come from a graph without holes', () => {
    for (const net of [new Sequential(new Linear(3, 3)), new Sequential(new Linear(3, 3), new LayerNorm([3]))])
      low.run(() => {
        noGrad.run(() => net(x));
        const out = net(x) as Tensor;
        expect(out.requiresGrad).toBe(true);
        out.float().square().sum().backward();
        for (const [name, p] of net.namedParameters()) expect(p.grad, name).not.toBeNull();
      });
  });

  // A checkpoint computes anew, in the mode and the dtype of the first time.
  it('are those without a checkpoint where there is one', () => {
    const net = model();
    const plain = low.run(() => grad((net(x) as Tensor).float().sum(), [...net.parameters()]));
    const kept = low.run(() => checkpoint(() => net(x) as Tensor));
    expect(kept.dtype).toBe('bfloat16');
    const again = grad(kept.float().sum(), [...net.parameters()]);
    for (const [i, g] of again.entries()) expect(g.toArray()).toEqual(plain[i]!.toArray());
  });

  // pytorch#142234: what is computed follows a parameter that has changed since.
  it('and values follow a parameter that changes inside', () => {
    const w = ones([3, 1], { requiresGrad: true });
    low.run(() => {
      const before = x.matmul(w);
      noGrad.run(() => w.mul_(2));
      const after = x.matmul(w);
      expect(core.allclose(after.float(), before.float().mul(2))).toBe(true);
      after.float().sum().backward();
    });
    expect(core.allclose(w.grad!, x.sum(0).unsqueeze(1), { rtol: 0.02, atol: 0.02 })).toBe(true);
  });

  it('have gradients of their own', () => {
    const w = randn([3, 1], { requiresGrad: true });
    const g = low.run(() => grad(x.matmul(w).float().square().sum(), w, { createGraph: true }));
    expect(g.dtype).toBe('float32');
    expect(grad(g.sum(), w).abs().sum().item()).toBeGreaterThan(0);
  });

  it('go through recurrent layers, attention and vmap', () => {
    const lstm = new LSTM(3, 4);
    low.run(() => (lstm(x.unsqueeze(0)) as [Tensor, unknown])[0].float().sum().backward());
    for (const p of lstm.parameters()) expect(p.grad!.dtype).toBe('float32');
    const layer = new TransformerEncoderLayer(4, 2, { dropout: 0 });
    const y = randn([1, 5, 4]);
    const full = layer(y) as Tensor;
    const lower = low.run(() => layer(y) as Tensor);
    expect(core.allclose(lower.float(), full, { rtol: 0.1, atol: 0.1 })).toBe(true);
    const net = model();
    expect(low.run(() => vmap((x: Tensor) => net(x) as Tensor)(x)).dtype).toBe('bfloat16');
  });
});

it('a compiled step is recorded for each autocast, and replayed in it', () => {
  const w = randn([3, 2]);
  const step = compile((x: Tensor) => noGrad.run(() => x.matmul(w)));
  const call = () => step(randn([2, 3])).dtype;
  const low = autocast('bfloat16');
  expect([call(), low.run(call), autocast('float16').run(call)]).toEqual(['float32', 'bfloat16', 'float16']);
  expect([call(), low.run(call), autocast('float16').run(call), call()]).toEqual([
    'float32',
    'bfloat16',
    'float16',
    'float32',
  ]);
  expect(step.explain().records.length).toBe(3);
  expect(step.explain().replays).toBe(4);
});

it('a model learns in bfloat16, as it does in float32', () => {
  core.manualSeed(0);
  const net = new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 1));
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.02 });
  const x = randn([64, 2]);
  const y = x.select(1, 0).mul(x.select(1, 1)).unsqueeze(1);
  let last = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 150; i++) {
    optimizer.zeroGrad();
    const loss = autocast('bfloat16').run(() => mseLoss(net(x) as Tensor, y));
    expect(loss.dtype).toBe('float32');
    loss.backward();
    optimizer.step();
    last = loss.item();
  }
  expect(last).toBeLessThan(0.15);
});
