import { evaluating, type GradPolicy, gradPolicies, Tensor } from '@gradgate/core';
import { recordOf } from '@gradgate/core/internal';
import { checkModule } from './checkModule.js';
import type { Module } from './module.js';
import { watchMultiplications } from './multiplications.js';
import { shapeText } from './shapeText.js';

const shapes = (out: unknown): string =>
  Tensor.is(out) ? `${shapeText(out)}` : Array.isArray(out) ? out.map(shapes).join(' ') : '';

const policy = ({ member, gate, condition }: GradPolicy): string =>
  `${String(member)}: ${gate}${condition === null ? '' : ' if its condition holds'}`;

/** The number of elements in the module's own parameters, and how many of them are trained. */
function count(parameters: Iterable<Tensor>): { all: number; trainable: number } {
  let [all, trainable] = [0, 0];
  for (const p of parameters) {
    all += p.numel;
    if (p.requiresGrad) trainable += p.numel;
  }
  return { all, trainable };
}

/** The bytes of tensors, also in arrays. */
function bytesOf(out: unknown): number {
  if (Tensor.is(out)) return out.numel * recordOf(out.dtype).bytes;
  return Array.isArray(out) ? out.reduce((sum: number, item) => sum + bytesOf(item), 0) : 0;
}

function inUnits(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const unit = Math.min(units.length - 1, bytes === 0 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** unit).toPrecision(4))} ${units[unit]}`;
}

/** What one run of a model has shown. */
interface Run {
  readonly outputs: Map<Module, string>;
  /** By the innermost running module. */
  readonly multiplications: Map<Module, number>;
  /** The outputs of modules without parts. */
  bytes: number;
}

function run(model: Module, modules: readonly Module[], inputs: readonly unknown[]): Run {
  const found: Run = { outputs: new Map(), multiplications: new Map(), bytes: 0 };
  const { multiplications } = found;
  const running: Module[] = [];
  const add = (n: number) => {
    const module = running.at(-1);
    if (module !== undefined) multiplications.set(module, (multiplications.get(module) ?? 0) + n);
  };
  const tensors = [...model.parameters(), ...model.buffers(), ...inputs.filter(Tensor.is)];
  const unwatch = watchMultiplications(new Set(tensors.map((t) => t.device)), add);
  const handles = modules.flatMap((m) => {
    const hasParts = !m.children().next().done;
    return [
      m.registerForwardPreHook((module) => void running.push(module)),
      m.registerForwardHook((module, _, out) => {
        running.pop();
        found.outputs.set(module, shapes(out));
        if (!hasParts) found.bytes += bytesOf(out);
      }),
    ];
  });
  try {
    evaluating.run(() => (model as (...args: unknown[]) => unknown)(...inputs));
  } finally {
    unwatch();
    for (const handle of handles) handle.remove();
  }
  return found;
}

/**
 * A table of the model: for each module its class, the shape of its output for `inputs`, its own parameters, whether
 * they are trainable or frozen, how many multiplications its own products and convolutions take, and what its
 * decorators say about gradients. Below it are the sums, and the memory that parameters, buffers and, for `inputs`, the
 * outputs of modules without parts take. The model runs once, in `evaluating`. A module that is called several times
 * shows its last output, and the multiplications of all calls.
 *
 * ```ts
 * console.log(summary(new Sequential(new Linear(784, 10)), randn([1, 784])));
 * ```
 */
export function summary(model: Module, ...inputs: unknown[]): string {
  checkModule('summary', model);
  const modules = [...model.namedModules()];
  const ran =
    inputs.length > 0
      ? run(
          model,
          modules.map(([, m]) => m),
          inputs,
        )
      : null;
  const rows = modules.map(([path, m]) => {
    const own = count([...m.namedParameters()].filter(([name]) => !name.includes('.')).map(([, p]) => p));
    const state =
      own.all === 0 ? '' : own.trainable === own.all ? 'trainable' : own.trainable === 0 ? 'frozen' : 'partly';
    const policies = gradPolicies(m.constructor as new () => Module).map(policy);
    return [
      path,
      m.constructor.name,
      ran?.outputs.get(m) ?? '',
      own.all === 0 ? '' : `${own.all}`,
      state,
      `${ran?.multiplications.get(m) ?? ''}`,
      policies.join(', '),
    ];
  });
  return [...aligned([headings, ...rows]), ...totals(model, ran)].join('\n');
}

const headings = ['name', 'module', 'output', 'parameters', 'state', 'multiplications', 'gradients'];
const numeric = ['parameters', 'multiplications'].map((heading) => headings.indexOf(heading));

/** The rows as lines with columns of one width: numbers at the right, texts at the left. */
function aligned(table: readonly (readonly string[])[]): string[] {
  const widths = headings.map((_, c) => Math.max(...table.map((row) => row[c]!.length)));
  return table.map((row) =>
    row
      .map((cell, c) => (numeric.includes(c) ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** The lines below the table. */
function totals(model: Module, ran: Run | null): string[] {
  const { all, trainable } = count(model.parameters());
  const [parameters, buffers] = [bytesOf([...model.parameters()]), bytesOf([...model.buffers()])];
  const memory = `memory: ${inUnits(parameters)} of parameters, ${inUnits(buffers)} of buffers`;
  const first = `${all} parameters, ${trainable} trainable, ${all - trainable} frozen`;
  if (ran === null) return [first, memory];
  const multiplications = [...ran.multiplications.values()].reduce((a, b) => a + b, 0);
  return [first, `${memory}, ${inUnits(ran.bytes)} of outputs`, `${multiplications} multiplications`];
}
