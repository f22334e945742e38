import * as core from '@gradgate/core';
import * as nn from '@gradgate/nn';

const parameter = () => new nn.Parameter(core.randn([2]));
const input = (r) =>
  core.randn(r.pick([[2, 3], [3, 3], [2, 4], [4, 4], [2, 3, 4], [2, 4, 6], [2, 4, 5, 5], [1, 4, 4, 4, 4], [4]]));
const named = (r, self, list) => [r.pick(['', ...Array.from(list(self), ([name]) => name)])];

/** Arguments that most likely suit a method, by its name: those that names of parameters do not tell. */
const byMethod = {
  call: (r) => [input(r)],
  forward: (r) => [input(r)],
  to: (r) => [r.pick(['float64', 'float32', 'bfloat16', 'cpu'])],
  toAsync: () => ['cpu'],
  train: (r) => r.pick([[], [true], [false]]),
  requiresGrad_: (r) => r.pick([[], [true], [false]]),
  zeroGrad: (r) => r.pick([[], [{ setToNull: false }]]),
  addParamGroup: (r) => [{ params: [parameter()], ...r.pick([{}, { lr: 0.5 }]) }],
  getParameter: (r, self) => named(r, self, (m) => m.namedParameters()),
  getBuffer: (r, self) => named(r, self, (m) => m.namedBuffers()),
  getSubmodule: (r, self) => named(r, self, (m) => m.namedModules()),
  loadStateDict: (_, self) => [self.stateDict()],
  step: (r, self) => r.pick([[], [], [() => core.randn([])], self.baseLrs ? [1] : []]),
  update: (r) =>
    r.pick([
      [core.rand([4]), core.randint(0, 2, [4])],
      [core.rand([4, 3]), core.randint(0, 3, [4])],
      [core.rand([4])],
      [0.5],
    ]),
  compute: () => [],
  mergeState: (_, self) => [self.stateDict?.()],
  expand: () => [[3, 2]],
  sample: (r) => r.pick([[], [[2]]]),
  rsample: (r) => r.pick([[], [[2]]]),
  logProb: (_, self) => [self.sample()],
  logAbsDerivative: (r, self) => {
    const x = input(r);
    return [x, self.forward(x)];
  },
  get: (r) => [r.below(3)],
  at: (r) => [r.below(3)],
  append: () => [new nn.Linear(3, 3)],
  push: () => [new nn.Linear(3, 3)],
  onTrainEpochEnd: () => [{ epoch: 0, epochs: 2, loss: 0.5, metrics: {} }],
  onStep: () => [{ epoch: 0, step: 0, loss: 0.5 }],
  scale: () => [core.ones([], { requiresGrad: true }).mul(2)],
  next: () => [],
  return: () => [],
};

/** Such arguments, or null where the names of the parameters have to do. */
export function suitable(random, method, self) {
  try {
    return Object.hasOwn(byMethod, method) ? (byMethod[method](random, self) ?? null) : null;
  } catch {
    return null;
  }
}
