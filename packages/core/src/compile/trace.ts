import { isPlain } from '../check.js';
import type { Tensor } from '../tensor/tensor.js';
import { isView, type Recording } from './recorder.js';
import { idOf } from './signature.js';

/** A text of what a call did; calls that do the same have the same text. */
export function traceOf({ ops, made, entryGrads }: Recording, args: readonly Tensor[]): string {
  const numbers = new Map<unknown, number>();
  const numberOf = (x: unknown): number => {
    if (!numbers.has(x)) numbers.set(x, numbers.size);
    return numbers.get(x)!;
  };
  for (const t of [...args, ...entryGrads.values()]) if (t !== null) numberOf(t.storage);
  const show = (arg: unknown): string => {
    if (arg === null || typeof arg !== 'object')
      return typeof arg === 'function' ? 'fn' : Object.is(arg, -0) ? '-0' : String(arg);
    if (isView(arg)) {
      const { storage, dtype, shape, strides, offset } = arg;
      const from = args.find((t) => t.storage === storage)?.offset ?? 0;
      const which = made.has(storage) || numbers.has(storage) ? numberOf(storage) : `#${idOf(storage)}`;
      return `${which}:${dtype}[${shape}](${strides})+${offset - from}`;
    }
    if (Array.isArray(arg) || ArrayBuffer.isView(arg)) return `[${Array.from(arg as unknown[], show).join()}]`;
    const { name } = arg as { name?: unknown };
    if (typeof name === 'string') return name;
    return isPlain(arg)
      ? `{${Object.entries(arg).map(([key, value]) => `${key}:${show(value)}`)}}`
      : arg.constructor.name;
  };
  return ops
    .map((op) => {
      if (op.kind === 'kernel') return `${op.name} ${op.args.map(show).join(' ')}`;
      if (op.kind === 'grad')
        return `grad of #${args.includes(op.leaf) ? args.indexOf(op.leaf) : idOf(op.leaf)}: ${op.grad === null ? 'null' : show(op.grad)}`;
      return op.kind === 'action' ? 'action' : `${op.kind} ${numberOf(op.storage)}`;
    })
    .join('\n');
}

/** Where two traces differ first. */
export function difference(before: string, now: string): string {
  const [a, b] = [before.split('\n'), now.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  const i = at < 0 ? a.length : at;
  return `  recorded: ${a[i] ?? '(nothing more)'}\n  now:      ${b[i] ?? '(nothing more)'}`;
}
