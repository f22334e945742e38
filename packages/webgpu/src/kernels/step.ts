import { DeviceError, type Kernels, type View } from '@gradgate/core';
import { groupsFor, maxNumbers, type Waiting } from '../gpu.js';
import type { Block } from '../pool.js';
import { withScratch } from '../scratch.js';
import { blockOf, gpuOf } from '../storage.js';
import { stored } from '../words.js';

interface Rule {
  /** The number of memory tensors. */
  readonly memory: number;
  /** The names of the numbers, in the order of the rule. */
  readonly numbers: readonly string[];
  /** WGSL that updates `w`, `m0`, `m1` and `m2` by the gradient `g`. */
  readonly code: string;
}

const adamNumbers = ['keep', 'penalty', 's', 'beta1', 'beta2', 'rate', 'correction', 'eps'];
/** The gradient with a penalty on the weight; without one an infinite weight is no NaN. */
const penalized = (penalty: string, w: string): string =>
  `let d = u.s * g + select(0.0, u.${penalty} * ${w}, u.${penalty} != 0.0);`;
const direction = penalized('decay', 'w');

/** Adam's means of gradients and of their squares, with or without AMSGrad. */
const adamMeans = `let x = w * u.keep;
${penalized('penalty', 'x')}
m0 = u.beta1 * m0 + (1.0 - u.beta1) * d;
m1 = u.beta2 * m1 + (1.0 - u.beta2) * d * d;`;

/** The steps of nn's optimizers by the names of their rules. A test runs each optimizer here and on the host. */
const rules: Readonly<Record<string, Rule>> = {
  sgd: { memory: 0, numbers: ['s', 'decay', 'lr'], code: `${direction}\nw -= u.lr * d;` },
  momentum: {
    memory: 1,
    numbers: ['s', 'decay', 'lr', 'momentum', 'share', 'nesterov'],
    code: `${direction}
m0 = u.momentum * m0 + u.share * d;
w -= u.lr * select(m0, d + u.momentum * m0, u.nesterov != 0.0);`,
  },
  adam: {
    memory: 2,
    numbers: adamNumbers,
    code: `${adamMeans}
w = x - (u.rate * m0) / (sqrt(m1) * u.correction + u.eps);`,
  },
  amsgrad: {
    memory: 3,
    numbers: adamNumbers,
    code: `${adamMeans}
if (m1 > m2) { m2 = m1; }
w = x - (u.rate * m0) / (sqrt(m2) * u.correction + u.eps);`,
  },
  rmsprop: {
    memory: 1,
    numbers: ['s', 'decay', 'lr', 'alpha', 'eps'],
    code: `${direction}
m0 = u.alpha * m0 + (1.0 - u.alpha) * d * d;
w -= u.lr * d / (sqrt(m0) + u.eps);`,
  },
  'rmsprop centered': {
    memory: 2,
    numbers: ['s', 'decay', 'lr', 'alpha', 'eps'],
    code: `${direction}
m0 = u.alpha * m0 + (1.0 - u.alpha) * d * d;
m1 = u.alpha * m1 + (1.0 - u.alpha) * d;
w -= u.lr * d / (sqrt(m0 - m1 * m1) + u.eps);`,
  },
  'rmsprop with momentum': {
    memory: 2,
    numbers: ['s', 'decay', 'lr', 'alpha', 'eps', 'momentum'],
    code: `${direction}
m0 = u.alpha * m0 + (1.0 - u.alpha) * d * d;
m1 = u.momentum * m1 + d / (sqrt(m0) + u.eps);
w -= u.lr * m1;`,
  },
  'rmsprop centered with momentum': {
    memory: 3,
    numbers: ['s', 'decay', 'lr', 'alpha', 'eps', 'momentum'],
    code: `${direction}
m0 = u.alpha * m0 + (1.0 - u.alpha) * d * d;
m1 = u.alpha * m1 + (1.0 - u.alpha) * d;
m2 = u.momentum * m2 + d / (sqrt(m0 - m1 * m1) + u.eps);
w -= u.lr * m2;`,
  },
  asgd: {
    memory: 1,
    numbers: ['s', 'decay', 'lambd', 'eta', 'mu'],
    code: `${direction}
w = w * (1.0 - u.lambd * u.eta) - u.eta * d;
m0 = select(m0 + (w - m0) * u.mu, w, u.mu == 1.0);`,
  },
  adagrad: {
    memory: 1,
    numbers: ['s', 'decay', 'rate', 'eps'],
    code: `${direction}
m0 += d * d;
w -= (u.rate * d) / (sqrt(m0) + u.eps);`,
  },
  adadelta: {
    memory: 2,
    numbers: ['s', 'decay', 'lr', 'rho', 'eps'],
    code: `${direction}
m0 = u.rho * m0 + (1.0 - u.rho) * d * d;
let shift = sqrt(m1 + u.eps) / sqrt(m0 + u.eps) * d;
m1 = u.rho * m1 + (1.0 - u.rho) * shift * shift;
w -= u.lr * shift;`,
  },
  rprop: {
    memory: 2,
    numbers: ['s', 'less', 'more', 'low', 'high'],
    code: `var d = u.s * g;
let turn = d * m0;
m1 = min(max(m1 * select(select(1.0, u.less, turn < 0.0), u.more, turn > 0.0), u.low), u.high);
if (turn < 0.0) { d = 0.0; }
w -= sign(d) * m1;
m0 = d;`,
  },
  adamax: {
    memory: 2,
    numbers: ['s', 'decay', 'beta1', 'beta2', 'rate', 'eps'],
    code: `${direction}
m0 = u.beta1 * m0 + (1.0 - u.beta1) * d;
m1 = max(u.beta2 * m1, abs(d) + u.eps);
w -= u.rate * m0 / m1;`,
  },
  nadam: {
    memory: 2,
    numbers: ['s', 'decay', 'beta1', 'beta2', 'gradient', 'mean', 'correction', 'eps'],
    code: `${direction}
m0 = u.beta1 * m0 + (1.0 - u.beta1) * d;
m1 = u.beta2 * m1 + (1.0 - u.beta2) * d * d;
w -= (u.gradient * d + u.mean * m0) / (sqrt(m1 / u.correction) + u.eps);`,
  },
  radam: {
    memory: 2,
    numbers: ['s', 'decay', 'beta1', 'beta2', 'lr', 'correction', 'rectified', 'eps'],
    code: `${direction}
m0 = u.beta1 * m0 + (1.0 - u.beta1) * d;
m1 = u.beta2 * m1 + (1.0 - u.beta2) * d * d;
let adapted = select(u.rectified / (sqrt(m1) + u.eps), 1.0, u.rectified == 0.0);
w -= u.lr * m0 * adapted / u.correction;`,
  },
  lion: {
    memory: 1,
    numbers: ['s', 'keep', 'lr', 'beta1', 'beta2'],
    code: `let d = u.s * g;
let direction = sign(u.beta1 * m0 + (1.0 - u.beta1) * d);
w = w * u.keep - u.lr * direction;
m0 = u.beta2 * m0 + (1.0 - u.beta2) * d;`,
  },
};

/** The step of one parameter. */
interface Step {
  readonly w: View;
  readonly g: View;
  readonly memory: readonly View[];
  readonly reads: readonly Block[];
  readonly writes: readonly Block[];
}

/** Deferred steps of one rule with the same numbers, which become one call. */
class Steps implements Waiting {
  readonly #all: Step[] = [];

  constructor(
    readonly key: string,
    private readonly rule: Rule,
    private readonly numbers: readonly number[],
    private readonly most: number,
  ) {}

  uses(block: Block): boolean {
    return this.#all.some(({ reads, writes }) => reads.includes(block) || writes.includes(block));
  }

  has(numbers: readonly number[]): boolean {
    return numbers.every((n, i) => n === this.numbers[i]);
  }

  /** Adds a step if there is room and no step writes to memory that another one uses. */
  add(step: Step): boolean {
    const { reads, writes } = step;
    if (
      this.#all.length >= this.most ||
      writes.some((block) => this.uses(block)) ||
      this.#all.some((other) => other.writes.some((block) => reads.includes(block)))
    )
      return false;
    this.#all.push(step);
    return true;
  }

  make(): void {
    stepAll(`${this.key} ${this.#all.length}`, this.rule, this.#all, this.numbers);
  }
}

/** `Kernels.step`: successive parameters are updated by one call, as many as a program has buffers for. */
const step: Kernels['step'] = (rule, w: View, g: View, memory: readonly View[], numbers: readonly number[]) => {
  const found = Object.hasOwn(rules, rule.name) ? rules[rule.name]! : undefined;
  if (found?.memory !== memory.length)
    throw new DeviceError(
      'step',
      `the rule ${rule.name} is not available on webgpu; write an optimizer whose update is composed of operators, or train on 'cpu'`,
    );
  if (w.numel === 0) return;
  const gpu = gpuOf(w);
  const { maxStorageBuffersPerShaderStage } = gpu.device.limits;
  const most = Math.min(
    Math.floor(maxStorageBuffersPerShaderStage / (2 + memory.length)),
    Math.floor((maxNumbers - found.numbers.length) / (3 + memory.length)),
  );
  const given = numbers.slice(0, found.numbers.length);
  withScratch(w, (scratch) => {
    const gradient = scratch.packed(g);
    const one = { reads: [blockOf(gradient)], writes: [w, ...memory].map(blockOf), w, g: gradient, memory };
    const key = `step ${rule.name} ${w.dtype}`;
    const { waiting } = gpu;
    const isSame = waiting instanceof Steps && waiting.key === key && waiting.has(given);
    if (isSame && waiting.add(one)) return;
    const steps = new Steps(key, found, given, most);
    steps.add(one);
    gpu.wait(steps);
  });
};

/** Makes one call for several parameters, whose elements are divided among the threads. */
function stepAll(key: string, rule: Rule, calls: readonly Step[], numbers: readonly number[]): void {
  const { w } = calls[0]!;
  const kept = Array.from({ length: rule.memory }, (_, k) => `m${k}`);
  const names = (k: number): string[] => [`g${k}`, `w${k}`, ...kept.map((m) => `${m}_${k}`)];
  const bodyOf = (k: number): string => `if (at < u.n${k}) {
let g = data_g${k}[u.g${k} + at];
var w = data_w${k}[u.w${k} + at];
${kept.map((m) => `var ${m} = data_${m}_${k}[u.${m}_${k} + at];`).join('\n')}
${rule.code}
data_w${k}[u.w${k} + at] = ${stored('w', 'f32', w.dtype)};
${kept.map((m) => `data_${m}_${k}[u.${m}_${k} + at] = ${stored(m, 'f32', w.dtype)};`).join('\n')}
return;
}
at -= u.n${k};`;
  const floats = (all: readonly string[]) => Object.fromEntries(all.map((name) => [`data_${name}`, 'f32' as const]));
  gpuOf(w).run(
    key,
    () => ({
      reads: floats(calls.map((_, k) => `g${k}`)),
      writes: floats(calls.flatMap((_, k) => names(k).slice(1))),
      numbers: [...calls.flatMap((_, k) => [`n${k}`, ...names(k)]), ...rule.numbers.map((n) => `${n}:f32`)],
      body: `var at = i;\n${calls.map((_, k) => bodyOf(k)).join('\n')}`,
    }),
    [...calls.flatMap(({ reads }) => reads), ...calls.flatMap(({ writes }) => writes)],
    [...calls.flatMap(({ w, g, memory }) => [w.numel, g.offset, w.offset, ...memory.map((m) => m.offset)]), ...numbers],
    groupsFor(Math.ceil(calls.reduce((n, call) => n + call.w.numel, 0) / 64)),
  );
}

export const stepKernels = { step } satisfies Partial<Kernels>;
