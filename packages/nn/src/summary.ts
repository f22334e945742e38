import { evaluating, type GradPolicy, gradPolicies, Tensor } from '@gradgate/core';
import { checkModule } from './checkModule.js';
import type { Module } from './module.js';

const shapes = (out: unknown): string =>
  Tensor.is(out) ? `[${out.shape.join(', ')}]` : Array.isArray(out) ? out.map(shapes).join(' ') : '';

const policy = ({ member, gate, condition }: GradPolicy): string =>
  `${String(member)}: ${gate}${condition === null ? '' : ' if its condition holds'}`;

/** How many elements the parameters that are a module's own have, and how many of those are learned. */
function count(parameters: Iterable<Tensor>): { all: number; trainable: number } {
  let [all, trainable] = [0, 0];
  for (const p of parameters) {
    all += p.numel;
    if (p.requiresGrad) trainable += p.numel;
  }
  return { all, trainable };
}

/**
 * A table of the model: for each module its class, the shape of its output for `inputs`, its own parameters, whether
 * they are trainable or frozen, and what its decorators say about gradients. The model runs once, in `evaluating`. A module
 * that is called several times shows its last output.
 *
 * ```ts
 * console.log(summary(new Sequential(new Linear(784, 10)), randn([1, 784])));
 * ```
 */
export function summary(model: Module, ...inputs: unknown[]): string {
  checkModule('summary', model);
  const modules = [...model.namedModules()];
  const outputs = new Map<Module, string>();
  const handles = modules.map(([, m]) =>
    m.registerForwardHook((module, _, out) => void outputs.set(module, shapes(out))),
  );
  try {
    if (inputs.length > 0) evaluating.run(() => (model as (...args: unknown[]) => unknown)(...inputs));
  } finally {
    for (const handle of handles) handle.remove();
  }
  const rows = modules.map(([path, m]) => {
    const own = count([...m.namedParameters()].filter(([name]) => !name.includes('.')).map(([, p]) => p));
    const state =
      own.all === 0 ? '' : own.trainable === own.all ? 'trainable' : own.trainable === 0 ? 'frozen' : 'partly';
    const policies = gradPolicies(m.constructor as new () => Module).map(policy);
    return [
      path,
      m.constructor.name,
      outputs.get(m) ?? '',
      own.all === 0 ? '' : `${own.all}`,
      state,
      policies.join(', '),
    ];
  });
  const table = [['name', 'module', 'output', 'parameters', 'state', 'gradients'], ...rows];
  const widths = table[0]!.map((_, c) => Math.max(...table.map((row) => row[c]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, c) => (c === 3 ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
      .join('  ')
      .trimEnd(),
  );
  const { all, trainable } = count(model.parameters());
  return [...lines, `${all} parameters, ${trainable} trainable, ${all - trainable} frozen`].join('\n');
}
