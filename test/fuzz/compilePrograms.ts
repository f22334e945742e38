import {
  enableGrad,
  evalMode,
  freezing,
  Generator,
  inferenceMode,
  manualSeed,
  noGrad,
  ones,
  rand,
  randn,
  Tensor,
} from '@gradgate/core';
import type { compile } from '@gradgate/core/compile';
import {
  BatchNorm1d,
  Dropout,
  GELU,
  LayerNorm,
  Linear,
  Module,
  optim,
  Parameter,
  PReLU,
  ReLU,
  Sequential,
  Softmax,
  Tanh,
} from '@gradgate/nn';

// Random programs of a model, an optimizer and a step, in which something changes between the calls of the step.

const width = 8;

/** Random choices, apart from the random numbers that programs draw. */
function chooser(seed: number) {
  const generator = new Generator(seed);
  const next = () => rand([1], { generator, dtype: 'float64' }).item();
  const below = (n: number) => Math.min(n - 1, Math.floor(next() * n));
  return { below, chance: (p: number) => next() < p, pick: <T>(from: readonly T[]): T => from[below(from.length)]! };
}

/** A layer that decides by fields of all kinds. */
class Scale extends Module {
  options = { rate: 1.5, on: true };
  shifts = [1, 2];
  quiet = false;
  weight = new Parameter(ones([width]));
  mask: Tensor | null = null;
  override forward(x: Tensor): Tensor {
    let y = this.options.on ? x.mul(this.options.rate) : x.add(this.shifts[0]!);
    y = this.quiet ? noGrad.run(() => y.mul(this.weight)) : y.mul(this.weight);
    if (this.mask !== null) y = y.add(this.mask);
    return this.training ? y : y.tanh();
  }
}

/** A layer under a gate with a condition. */
class Gated extends Module {
  linear = new Linear(width, width);
  quiet = false;
  private readonly guarded = noGrad(() => this.quiet).wrap((x: Tensor): Tensor => this.linear(x));
  override forward(x: Tensor): Tensor {
    return x.add(this.guarded(x));
  }
}

const layers: readonly (() => Module)[] = [
  () => new Linear(width, width),
  () => new ReLU(),
  () => new GELU(),
  () => new PReLU(),
  () => new Softmax(-1),
  () => new Dropout(0.3),
  () => new LayerNorm(width),
  () => new BatchNorm1d(width),
  () => new Scale(),
  () => new Gated(),
  () => new Sequential(new Linear(width, width), new Tanh()),
];

const optimizers = [
  (params: Tensor[]) => new optim.SGD(params, { lr: 0.05 }),
  (params: Tensor[]) => new optim.SGD(params, { lr: 0.05, momentum: 0.9, nesterov: true }),
  (params: Tensor[]) => new optim.Adam(params, { lr: 0.01 }),
  (params: Tensor[]) => new optim.AdamW(params, { lr: 0.01 }),
  (params: Tensor[]) => new optim.RMSprop(params, { lr: 0.01 }),
  (params: Tensor[]) => new optim.Adagrad(params, { lr: 0.01 }),
] as const;

/** What a step is called in. */
const surroundings: Record<string, (around: Linear, run: () => unknown) => unknown> = {
  nothing: (_, run) => run(),
  noGrad: (_, run) => noGrad.run(run),
  enableGrad: (_, run) => noGrad.run(() => enableGrad.run(run)),
  evalMode: (_, run) => evalMode.run(run),
  inferenceMode: (_, run) => inferenceMode.run(run),
  freezing: ({ weight }, run) => freezing([weight]).run(run),
};

const namesOf = (state: Record<string, unknown>): string =>
  Object.entries(state)
    .map(([name, value]) => `${name} ${(value as Tensor).shape}`)
    .join();

/** A text of all values, for comparisons to the last bit. */
const shown = (value: unknown): unknown =>
  Tensor.is(value)
    ? [value.requiresGrad, ...value.shape, ...Array.from(value.detach().toTypedArray(), String)]
    : Array.isArray(value)
      ? value.map(shown)
      : value;

/** A program of this number, with its step as it is or compiled: each call gives what it returned, and the whole state after it. */
export function program(seed: number, compiled: typeof compile): () => string {
  const { below, chance, pick } = chooser(seed);
  manualSeed(seed);
  const net = new Sequential(new Linear(width, width), ...Array.from({ length: 1 + below(4) }, () => pick(layers)()));
  const side = new Linear(width, width);
  const makeOptimizer = pick(optimizers);
  const first: optim.Optimizer<{ lr: number }, object> = makeOptimizer([...net.parameters()]) as never;
  const state = {
    net,
    optimizer: first,
    scheduler: chance(0.3) ? new optim.ExponentialLR(first as never, { gamma: 0.9 }) : null,
    options: { scale: 1 },
    usesSide: chance(0.3),
  };
  // The average has the fields that the model has at first.
  const average = chance(0.3) ? new optim.AveragedModel(net) : null;
  const kind = pick(['forward', 'loss', 'backward', 'step', 'step', 'step']);
  const zeroGrad = pick(['before', 'after', 'never']);
  const [clips, direct, returnsMore] = [chance(0.3), chance(0.3), chance(0.5)];
  const step = compiled(function (this: typeof state, x: Tensor, y: Tensor): Tensor | Tensor[] {
    const trains = kind === 'backward' || kind === 'step';
    if (trains && zeroGrad === 'before') this.optimizer.zeroGrad();
    let out = direct ? this.net.forward(x) : this.net(x);
    if (this.usesSide) out = out.add(side(x));
    out = out.mul(this.options.scale);
    if (kind === 'forward') return out;
    const loss = out.sub(y).square().mean();
    if (!trains) return loss;
    loss.backward();
    if (clips) optim.clipGradNorm_([...this.net.parameters()], 0.5);
    if (kind === 'step') {
      this.optimizer.step();
      this.scheduler?.step();
      average?.updateParameters(this.net);
    }
    if (zeroGrad === 'after') this.optimizer.zeroGrad();
    return returnsMore ? [loss.detach(), out.detach()] : loss.detach();
  });

  const call = { batch: 4, within: 'nothing' };
  const hook = { remove() {} };
  const weights = net.stateDict();
  const snapshot = Object.fromEntries(Object.entries(weights).map(([name, t]) => [name, (t as Tensor).clone()]));
  const params = () => [...net.parameters()];
  const ofClass = <M extends Module>(of: new () => M) => [...net.modules()].filter((m): m is M => m instanceof of);
  const changes: readonly (() => void)[] = [
    () => void net.train(),
    () => void net.eval(),
    () => void pick([...net.modules()]).train(chance(0.5)),
    () => {
      const p = pick(params()) as Parameter | undefined;
      if (p !== undefined)
        p.requiresGrad = !p.requiresGrad || params().every((other) => other === p || !other.requiresGrad);
    },
    () => {
      for (const group of state.optimizer.paramGroups) group.lr *= 0.5;
    },
    () => {
      hook.remove();
      const added = pick([...net.modules()]).registerForwardHook((_, __, out) => out.mul(1.1));
      hook.remove = () => added.remove();
    },
    () => hook.remove(),
    () =>
      void params()
        .find((p) => p.requiresGrad)
        ?.registerHook((g) => g.mul(0.5)),
    () => {
      call.batch = 2 + below(3);
    },
    () => {
      call.within = pick(Object.keys(surroundings));
    },
    () => {
      state.options.scale = pick([0.5, 1, 2]);
    },
    () => {
      state.options = { scale: 3 };
    },
    () => {
      for (const m of ofClass(Scale)) m.options.rate = pick([1, 2]);
    },
    () => {
      for (const m of ofClass(Scale)) {
        m.options.on = !m.options.on;
        m.shifts[0] = below(5);
      }
    },
    () => {
      for (const m of ofClass(Scale)) m.mask = chance(0.5) ? ones([width]) : null;
    },
    () => {
      for (const m of [...ofClass(Scale), ...ofClass(Gated)]) m.quiet = !m.quiet;
    },
    () => {
      state.usesSide = !state.usesSide;
    },
    () => {
      const [group] = state.optimizer.paramGroups;
      if (!group!.params.includes(side.weight) && state.optimizer.paramGroups.length === 1)
        state.optimizer.addParamGroup({ params: side.parameters() });
    },
    () => {
      const own = params().filter((p) => p.requiresGrad);
      if (own.length > 0) state.optimizer = makeOptimizer(own) as never;
      state.scheduler = null;
    },
    () => {
      if (namesOf(net.stateDict()) === namesOf(snapshot)) net.loadStateDict(snapshot);
    },
    () => {
      for (const p of params()) p.grad = null;
    },
    () => {
      const p = pick(params()) as Parameter | undefined;
      if (p?.requiresGrad) p.grad = ones(p.shape);
    },
    () => {
      (net as unknown as Record<number, Module>)[below([...net].length)] = pick(layers)();
    },
  ];
  return () => {
    if (chance(0.45)) pick(changes)();
    const [x, y] = [randn([call.batch, width]), randn([call.batch, width])];
    let result: unknown;
    try {
      result = surroundings[call.within]!(side, () => step.call(state, x, y));
      if (Tensor.is(result) && result.requiresGrad && chance(0.7)) result.sum().backward();
    } catch {
      result = 'refused';
    }
    const leaves = [...params(), ...side.parameters()].map((p) => [shown(p), shown(p.grad)]);
    return JSON.stringify([
      shown(result),
      leaves,
      [...net.buffers()].map(shown),
      [...(average?.parameters() ?? [])].map(shown),
    ]);
  };
}
