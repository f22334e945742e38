import { readFileSync } from 'node:fs';
import { Tensor, tensor } from '@gradgate/core';
import * as nn from '@gradgate/nn';
import { type Module, optim, Parameter } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { camelCase, goldenError } from '../golden/golden.js';

interface Data {
  shape: number[];
  data: number[];
  dtype?: 'float32' | 'int32';
}
interface Line {
  kind: 'module' | 'optim' | 'scheduler' | 'plateau' | 'ctc' | 'lbfgs' | 'functional';
  name: string;
  args: unknown[];
  options: Record<string, unknown>;
  [key: string]: any;
}

/** Made by test/golden/make_nn.py. */
const lines: Line[] = readFileSync(new URL('../golden/nn.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((l) => JSON.parse(l));
const of = (kind: Line['kind']) =>
  lines.filter((l) => l.kind === kind).map((l) => [`${l.name} ${JSON.stringify(l.options)}`, l] as const);
const make = ({ shape, data, dtype = 'float32' }: Data, requiresGrad = false): Tensor =>
  tensor(data, { shape, dtype, requiresGrad });
const tolerance = 2e-5;
/** The tensors of what a module gives, in order. */
function flat(out: unknown): Tensor[] {
  if (out instanceof Tensor) return [out];
  return Object.values(out as object).flatMap(flat);
}
const parameter = (name: string) => Object.keys(camelCase({ [name]: 0 }))[0]!;

describe('modules give the values and gradients of PyTorch', () => {
  it.each(of('module').map(([n, l]) => [`${l['wrap'] ?? ''} ${n}`.trim(), l] as const))('%s', (_, line) => {
    const Layer = (nn as Record<string, any>)[line.name];
    const module: Module = new Layer(...line.args, ...(Object.keys(line.options).length > 0 ? [line.options] : []));
    if (line['wrap']) (nn as Record<string, any>)[line['wrap']](module);
    const own = module.stateDict();
    const state = Object.fromEntries(
      Object.entries(line['state'] as Record<string, Data>).map(([k, v]) => [
        k,
        make({ ...v, dtype: own[k]!.dtype as 'float32' }),
      ]),
    );
    // Strict: names and shapes are those of PyTorch.
    module.loadStateDict(state);
    const inputs = (line['inputs'] as Data[]).map((i) => make(i, i.dtype === 'float32'));
    const outputs = flat(module(...inputs));
    expect(outputs.map((t) => t.shape)).toEqual((line['outputs'] as Data[]).map((o) => o.shape));
    outputs.forEach((t, i) => {
      expect(goldenError(t, line['outputs'][i].data), `output ${i}`).toBeLessThan(tolerance);
    });
    outputs
      .map((t, i) => t.mul(make(line['weights'][i])).sum())
      .reduce((a, b) => a.add(b))
      .backward();
    const grads = Object.fromEntries([...module.namedParameters()].map(([k, p]) => [k, p.grad]));
    for (const [k, g] of Object.entries(line['grads'] as Record<string, Data>))
      expect(goldenError(grads[parameter(k)]!, g.data), k).toBeLessThan(tolerance * 5);
    inputs.forEach((t, i) => {
      const g = line['inputGrads'][i] as Data | null;
      if (g) expect(goldenError(t.grad!, g.data), `input ${i}`).toBeLessThan(tolerance * 5);
    });
    const after = module.stateDict();
    for (const [k, v] of Object.entries(line['after'] as Record<string, Data>))
      expect(goldenError(after[k]!, v.data), k).toBeLessThan(tolerance);
  });
});

describe('functions give the values and gradients of PyTorch', () => {
  it.each(of('functional'))('%s', (_, line) => {
    const inputs = (line['inputs'] as (Data | number[])[]).map((i) => ('data' in i ? make(i, true) : i));
    const out = (nn.functional as Record<string, any>)[line.name](...inputs, line.options) as Tensor;
    expect(out.shape).toEqual(line['output'].shape);
    expect(goldenError(out, line['output'].data)).toBeLessThan(tolerance);
    out.mul(make(line['weight'])).sum().backward();
    inputs.forEach((t, i) => {
      const g = line['inputGrads'][i] as Data | null;
      if (t instanceof Tensor && g)
        expect(goldenError(t.grad ?? t.detach().mul(0), g.data), `input ${i}`).toBeLessThan(tolerance * 5);
    });
  });
});

describe('optimizers follow the path of PyTorch', () => {
  it.each(of('optim'))('%s', (_, line) => {
    const w = new Parameter(make(line['w']));
    const [x, y] = [make(line['x']), make(line['y'])];
    let optimizer = new (optim as Record<string, any>)[line.name]([w], line.options);
    (line['path'] as Data[]).forEach((expected, i) => {
      if (i === 5) {
        // A saved state goes on as if nothing had been in between.
        const saved = optimizer.stateDict();
        optimizer = new (optim as Record<string, any>)[line.name]([w], { lr: 123 });
        optimizer.loadStateDict(saved);
      }
      optimizer.zeroGrad();
      x.matmul(w).tanh().sub(y).square().mean().backward();
      optimizer.step();
      expect(goldenError(w, expected.data)).toBeLessThan(tolerance);
    });
  });
});

describe('optimizers that PyTorch has otherwise, or not at all', () => {
  /** Ten steps on f(w) = w^4 / 4, whose gradient is w^3. */
  const path = (optimizer: (p: Parameter) => optim.Optimizer<any, any>): number => {
    const p = new Parameter(tensor([1.5], { dtype: 'float64' }));
    const o = optimizer(p);
    for (let i = 0; i < 10; i++) {
      o.zeroGrad();
      p.pow(4).mul(0.25).sum().backward();
      o.step();
    }
    return p.item();
  };

  it('NAdam follows its paper', () => {
    let [w, m, v, product] = [1.5, 0, 0, 1];
    for (let t = 1; t <= 10; t++) {
      const g = w ** 3;
      const mu = 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004));
      const next = 0.9 * (1 - 0.5 * 0.96 ** ((t + 1) * 0.004));
      product *= mu;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const direction = ((1 - mu) * g) / (1 - product) + (next * m) / (1 - product * next);
      w -= (0.05 * direction) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
    }
    expect(path((p) => new optim.NAdam([p], { lr: 0.05 }))).toBeCloseTo(w, 12);
  });

  it('Lion follows its paper', () => {
    let [w, m] = [1.5, 0];
    for (let t = 0; t < 10; t++) {
      const g = w ** 3;
      w = w * (1 - 0.01 * 0.1) - 0.01 * Math.sign(0.9 * m + 0.1 * g);
      m = 0.99 * m + 0.01 * g;
    }
    expect(path((p) => new optim.Lion([p], { lr: 0.01, weightDecay: 0.1 }))).toBeCloseTo(w, 12);
  });
});

describe('schedulers give the rates of PyTorch', () => {
  const sgd = (lr: number) => new optim.SGD([new Parameter(tensor([0]))], { lr });

  it.each(of('scheduler'))('%s', (_, line) => {
    const optimizer = sgd(line['lr']);
    const scheduler = new (optim as Record<string, any>)[line.name](optimizer, line.options) as optim.LRScheduler;
    const rates = [optimizer.paramGroups[0]!.lr];
    for (let i = 1; i < line['rates'].length; i++) {
      scheduler.step();
      rates.push(scheduler.getLastLr()[0]!);
    }
    rates.forEach((r, i) => {
      expect(r, `epoch ${i}`).toBeCloseTo(line['rates'][i], 10);
    });
    const saved = scheduler.stateDict();
    const other = new (optim as Record<string, any>)[line.name](sgd(1), line.options) as optim.LRScheduler;
    other.loadStateDict(saved);
    expect(other.getLastLr()[0]).toBeCloseTo(line['rates'].at(-1), 10);
  });

  it('ReduceLROnPlateau', () => {
    const { metrics, rates } = lines.find((l) => l.kind === 'plateau')!;
    const optimizer = sgd(1);
    const scheduler = new optim.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 1, cooldown: 1 });
    expect(
      (metrics as number[]).map((m) => {
        scheduler.step(m);
        return optimizer.paramGroups[0]!.lr;
      }),
    ).toEqual(rates);
  });

  it('LambdaLR and SequentialLR', () => {
    const optimizer = sgd(1);
    const warm = new optim.LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 });
    const rest = new optim.LambdaLR(optimizer, (epoch) => 1 / (epoch + 1));
    const both = new optim.SequentialLR([warm, rest], [2]);
    const rates = [optimizer.paramGroups[0]!.lr];
    for (let i = 0; i < 4; i++) {
      both.step();
      rates.push(both.getLastLr()[0]!);
    }
    expect(rates).toEqual([0.5, 0.75, 1, 0.5, 1 / 3]);
  });
});

describe('beside optimizers', () => {
  it('clipGradNorm_ and clipGradValue_ limit gradients, and leave small ones', () => {
    const p = new Parameter(tensor([3, 4]));
    p.grad = tensor([3, 4]);
    expect(optim.clipGradNorm_([p], 1)).toBeCloseTo(5);
    expect(p.grad.norm().item()).toBeCloseTo(1, 4);
    expect(optim.clipGradNorm_([p], 10)).toBeCloseTo(1, 4);
    expect(p.grad.norm().item()).toBeCloseTo(1, 4);
    optim.clipGradValue_(p, 0.7);
    expect(goldenError(p.grad, [0.6, 0.7])).toBeLessThan(1e-4);
    p.grad = tensor([Number.NaN, 1]);
    expect(() => optim.clipGradNorm_([p], 1, { errorIfNonfinite: true })).toThrow(/norm of the gradients is NaN/);
  });

  it('getTotalNorm and clipGradsWithNorm_ do so in two parts', () => {
    const [p, q] = [new Parameter(tensor([3, 4])), new Parameter(tensor([12]))];
    for (const t of [p, q]) t.grad = t.detach().clone();
    const norm = optim.getTotalNorm([p.grad!, q.grad!]);
    expect(norm.item()).toBe(13);
    expect(optim.getTotalNorm(p.grad!, { normType: Number.POSITIVE_INFINITY }).item()).toBe(4);
    expect(optim.getTotalNorm([tensor([0.1], { dtype: 'float64' }), p.grad!]).dtype).toBe('float64');
    expect(optim.getTotalNorm([]).item()).toBe(0);
    optim.clipGradsWithNorm_([p, q], 20, norm);
    expect(q.grad!.item()).toBe(12);
    optim.clipGradsWithNorm_([p, q, new Parameter(tensor([1]))], 1.3, norm);
    expect(goldenError(p.grad!, [0.3, 0.4])).toBeLessThan(1e-4);
    expect(goldenError(q.grad!, [1.2])).toBeLessThan(1e-4);
    expect(() => optim.getTotalNorm([1] as never)).toThrow(/^getTotalNorm: expected a Tensor, got 1/);
    expect(() => optim.clipGradsWithNorm_([p], -1, norm)).toThrow(/^clipGradsWithNorm_: maxNorm/);
    expect(() => optim.clipGradsWithNorm_([p], 1, 13 as never)).toThrow(
      /^clipGradsWithNorm_: expected a Tensor, got 13/,
    );
  });

  it('ExponentialMovingAverage follows its source, without recording', () => {
    const [source, average] = [new nn.Linear(2, 1), new nn.Linear(2, 1)];
    const ema = new optim.ExponentialMovingAverage(average, source, 0.9);
    const before = average.weight.toArray() as number[][];
    source.weight.detach().add_(1);
    ema.update();
    expect(average.weight.at(0, 0).item()).toBeCloseTo(before[0]![0]! + 0.1, 5);
    expect([average.weight.requiresGrad, average.weight.isLeaf, source.weight.requiresGrad]).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('CTCLoss', () => {
  it.each(of('ctc'))('%s gives the loss of PyTorch, and its gradient before logSoftmax', (_, line) => {
    const z = make(line['input'], true);
    const loss = new nn.CTCLoss(line.options);
    const targets = tensor(
      [
        [1, 2, 2],
        [3, 1, 1],
        [2, 3, 1],
      ],
      { dtype: 'int32' },
    );
    const out = loss(z.logSoftmax(2), targets, [7, 5, line['last'] as number], [3, 2, 3]);
    expect(goldenError(out, line['output'].data)).toBeLessThan(tolerance);
    out.sum().backward();
    expect(goldenError(z.grad!, line['grad'].data)).toBeLessThan(tolerance);
  });
});

describe('LBFGS', () => {
  it.each(of('lbfgs'))('%s takes the path of PyTorch', (_, line) => {
    const double = ({ shape, data }: Data) => tensor(Float64Array.from(data), { shape });
    const w = double(line['start']).requiresGrad_();
    const [x, y] = [double(line['x']), double(line['y'])];
    const optimizer = new optim.LBFGS([w], line.options);
    for (const step of line['path'] as Data[]) {
      optimizer.step(() => {
        optimizer.zeroGrad();
        const loss = x.matmul(w).tanh().sub(y).square().mean();
        loss.backward();
        return loss;
      });
      expect(goldenError(w, step.data)).toBeLessThan(1e-9);
    }
  });
});
