import { checkOptions, isPlain, show } from '../check.js';
import { rebound } from '../grad/cover.js';
import { report } from '../grad/diagnostics.js';
import { callIn, currentObserver } from '../grad/flow.js';
import { likeOriginal } from '../grad/original.js';
import { AccumulateGrad, type Node, watchNodes } from '../graph/node.js';
import { currentSavedTensorHooks } from '../graph/savedTensorHooks.js';
import * as is from '../kinds.js';
import { batching } from '../memory/batching.js';
import { recording as current } from '../memory/recording.js';
import type { Storage } from '../memory/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { GraphPlan, resultsWithGraph } from './graph.js';
import { changeOf, type Held } from './held.js';
import { Plan } from './plan.js';
import { type Asked, type Break, isView, Recording } from './recorder.js';
import { idOf, type Signature, signatureOf } from './signature.js';

type AnyFunction = (this: any, ...args: any[]) => any;

/** Options of `compile`. */
export interface CompileOptions {
  /**
   * For tests: runs each call as it is, and throws where a replay would have done something else. It finds dependencies
   * of a function that no signature can hold.
   */
  check?: boolean;
  /** The largest number of records, 16 by default; calls beyond that run as they are. */
  maxRecords?: number;
}

/** One record, in `explain()`. */
export interface RecordReport {
  /** What calls it is for. */
  readonly signature: string;
  /** How often each kernel is called. */
  readonly kernels: Readonly<Record<string, number>>;
  /** What each replay runs as it is: steps of optimizers, clipping. */
  readonly actions: number;
  /** Chains of elementwise functions that run as one, by the names of their functions. */
  readonly fused: readonly (readonly string[])[];
  /** Bytes of memory for what is computed, and bytes without sharing. */
  readonly bytes: number;
  /** Bytes without sharing. */
  readonly unshared: number;
  /** How many calls were replayed. */
  readonly replays: number;
}

/** What `explain()` of a compiled function returns. */
export interface CompileReport {
  /** How often the function was called. */
  readonly calls: number;
  /** How many calls were replayed. */
  readonly replays: number;
  /** What was recorded. */
  readonly records: readonly RecordReport[];
  /** Why calls ran as they are, where, and how many. */
  readonly breaks: readonly (Break & { readonly calls: number })[];
  /** Why a call was recorded although there was a record of its signature. */
  readonly again: readonly string[];
}

/** The members of a compiled function. */
export interface Compiled {
  /** What has been recorded and replayed, and what has not, with the reason. */
  explain(): CompileReport;
  /** Drops all records. Call it after a change that no signature can hold. */
  reset(): void;
}

interface Leaf {
  readonly t: Tensor;
  readonly storage: Storage;
  readonly requiresGrad: boolean;
  readonly hooked: boolean;
}

interface Entry {
  readonly plan: Plan | GraphPlan;
  readonly asked: readonly Asked[];
  readonly args: readonly unknown[];
  readonly held: readonly Held[];
  readonly conditions: readonly (() => string | null)[];
  readonly leaves: readonly Leaf[];
  /** Whether each tensor among the arguments has hooks. */
  readonly hooked: readonly boolean[];
  /** The memory of tensors from outside, which arguments do not share. */
  readonly foreign: ReadonlySet<Storage>;
  readonly entryGrads: readonly { readonly at: number; readonly leaf: Tensor; readonly isNull: boolean }[];
  readonly trace: string;
  replays: number;
}

const optionKinds = { check: is.boolean, maxRecords: is.size };

/**
 * Records the kernels that a function of tensors calls, and calls only these from then on: a forward pass, or
 * a whole training step with `backward()`, clipping, the optimizer's step and `zeroGrad()`. The JavaScript between
 * kernels does not run again, and results lie in memory that is planned once. They are the same to the last bit.
 *
 * A record is valid for calls of one signature: shapes, dtypes, strides and `requiresGrad` of all tensors, plain values
 * and identities of other arguments, the grad mode and every other mode, what `this` and the modules that are called hold,
 * and the outcome of each gate's condition, which is asked at each call. Other calls are recorded
 * anew. As without compiling, each call draws random numbers and runs steps of optimizers and schedulers.
 *
 * Other effects of the function happen in recorded calls only: `console.log`, counters in closures, reads of variables
 * around it. `{ check: true }` finds functions that depend on them. Functions that read values (`item()`, `toArray()`)
 * or are asynchronous run as they are, and `explain()` says so. The tensors that a call returns are new ones. They have a
 * graph, of one operation, if the plain function's would and no backward pass has gone through it.
 *
 * ```ts
 * const w = ones([2], { requiresGrad: true });
 * const step = compile((x: Tensor) => {
 *   w.grad = null;
 *   const loss = w.mul(x).sum();
 *   loss.backward();
 *   return loss;
 * });
 * step(tensor([1, 2])); // 3
 * step(tensor([3, 4])); // 7
 * w.grad; // [3, 4]
 * step.explain().replays; // 1
 * ```
 */
export function compile<F extends AnyFunction>(fn: F, options?: CompileOptions): F & Compiled;
/** As `@compile`, a decorator: the same for a method. */
export function compile<F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F & Compiled;
/** As `@compile`, a decorator of the legacy dialect (`experimentalDecorators`). */
export function compile(target: object, key: PropertyKey, descriptor: PropertyDescriptor): void;
export function compile(fn: unknown, second?: unknown, descriptor?: PropertyDescriptor): unknown {
  if (descriptor !== undefined) {
    if (typeof descriptor?.value !== 'function')
      throw new TypeError(`compile: decorates methods, and ${show(second)} is none`);
    descriptor.value = compiled(descriptor.value as AnyFunction, {});
    return undefined;
  }
  if (typeof fn !== 'function')
    throw new TypeError(`compile: takes a function, or decorates a method; got ${fn === null ? 'null' : typeof fn}`);
  if (isContext(second)) {
    if (second.kind !== 'method')
      throw new TypeError(`compile: decorates methods, not the ${second.kind} ${String(second.name)}`);
    return compiled(fn as AnyFunction, {});
  }
  return compiled(fn as AnyFunction, checkOptions('compile', second as CompileOptions | undefined, optionKinds));
}

const isContext = (value: unknown): value is DecoratorContext =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as DecoratorContext).kind === 'string' &&
  'name' in value;

function compiled<F extends AnyFunction>(fn: F, options: CompileOptions): F & Compiled {
  const records = new Records(fn, options);
  const call = function (this: unknown, ...args: unknown[]) {
    return records.call(this, args);
  } as F;
  return Object.assign(likeOriginal(call, fn), {
    explain: () => records.explain(),
    reset: () => records.reset(),
  });
}

/** The records of one compiled function. */
class Records {
  private readonly entries = new Map<string, Entry[]>();
  private readonly breaks = new Map<string, Break & { calls: number }>();
  /** Signatures of calls that cannot be recorded, with the reason. */
  private readonly refused = new Map<string, string>();
  private readonly again: string[] = [];
  private calls = 0;
  private replays = 0;
  private count = 0;
  private told = false;

  constructor(
    private readonly fn: AnyFunction,
    private readonly options: CompileOptions,
  ) {}

  call(self: unknown, args: unknown[]): unknown {
    const run = () => Reflect.apply(this.fn, self, args);
    // A compiled function that is called in a recording becomes a part of that.
    if (current.current !== null) return run();
    this.calls++;
    if (batching.current !== null) return this.asItIs(run, 'it is called inside of vmap', null);
    if (currentObserver()) return this.asItIs(run, 'somebody observes gates', null);
    if (currentSavedTensorHooks() !== null) return this.asItIs(run, 'hooks on saved tensors are in force', null);
    const signature = signatureOf(self, args);
    if (signature.refused !== null) return this.asItIs(run, signature.refused, null);
    const known = this.refused.get(signature.key);
    if (known !== undefined) {
      const found = this.breaks.get(known)!;
      found.calls++;
      return run();
    }
    const answers: Asked[] = [];
    const entry = this.find(signature, args, answers);
    if (entry !== null && this.options.check !== true && !entry.plan.running) {
      this.replays++;
      entry.replays++;
      return entry.plan.replay(signature.tensors);
    }
    return this.record(self, args, signature, answers, entry, run);
  }

  /** The record whose conditions hold. They are asked now, in the order of the call, and `answers` gets the answers. */
  private find({ key, tensors }: Signature, args: readonly unknown[], answers: Asked[]): Entry | null {
    const all = this.entries.get(key) ?? [];
    let left = all.filter((entry) => firstChange(entry, tensors) === null);
    if (left.length === 0) {
      if (all.length > 0) this.noteAgain(firstChange(all.at(-1)!, tensors)!);
      return null;
    }
    for (let i = 0; ; i++) {
      const first = left[0];
      if (first === undefined) {
        this.noteAgain('a condition of a gate said something else');
        return null;
      }
      const asked = first.asked[i];
      if (asked === undefined) return first;
      const outcome: boolean = callIn(
        rebound(asked.frame),
        asked.condition,
        asked.self,
        asked.args.map((arg) => argumentNow(arg, first.args, args)),
      );
      answers.push({ ...asked, outcome });
      left = left.filter(
        ({ asked: other }) =>
          other[i]?.condition === asked.condition && other[i]!.self === asked.self && other[i]!.outcome === outcome,
      );
    }
  }

  private record(
    self: unknown,
    args: readonly unknown[],
    { key, tensors }: Signature,
    answers: Asked[],
    before: Entry | null,
    run: () => unknown,
  ): unknown {
    if (before === null && this.isFull) {
      if (!this.told)
        report(
          `compile: ${this.fn.name || 'a function'} has ${this.count} records, and no more are made; explain() tells why it was recorded again`,
        );
      this.told = true;
      // Conditions that have been asked are not asked again.
      return new Recording(answers).run(run);
    }
    const recording = new Recording(answers);
    if (typeof self === 'object' && self !== null) recording.owner(self);
    for (const arg of args) recording.argument(arg);
    const nodes = new Set<Node>();
    const unwatch = watchNodes((node) => nodes.add(node));
    let result: unknown;
    try {
      result = recording.run(run);
    } finally {
      unwatch();
    }
    refuseResult(recording, result);
    refuseOuterPass(recording, nodes);
    if (recording.broken !== null) return this.refuse(key, recording.broken, result);
    // Calls of this signature may have others.
    if (sharesMemory(recording, tensors)) {
      this.noteBreak({ why: 'an argument shares memory with a tensor from elsewhere', at: null });
      return result;
    }
    const trace = traceOf(recording, tensors);
    if (before !== null) {
      if (this.options.check === true && before.trace !== trace)
        throw new Error(
          `compile: a replay would have done something else than this call:\n${difference(before.trace, trace)}`,
        );
      return result;
    }
    const outs = resultsWithGraph(recording, result, tensors);
    const plan =
      outs.length === 0
        ? new Plan(recording, tensors, result)
        : GraphPlan.of(this.fn.name || 'compile', recording, nodes, tensors, result, outs);
    if (plan === null) return this.refuse(key, recording.broken!, result);
    this.count++;
    const entry: Entry = {
      plan,
      asked: recording.asked,
      args,
      held: recording.held,
      conditions: recording.conditions,
      leaves: [...recording.seen]
        .filter((t) => !tensors.includes(t) && t.isLeaf)
        .map((t) => ({ t, storage: t.storage, requiresGrad: t.requiresGrad, hooked: hasHooks(t) })),
      hooked: tensors.map(hasHooks),
      foreign: new Set([...recording.foreign.keys()].filter((storage) => !tensors.some((t) => t.storage === storage))),
      entryGrads: [...recording.entryGrads].map(([leaf, grad]) => ({
        at: tensors.indexOf(leaf),
        leaf,
        isNull: grad === null,
      })),
      trace,
      replays: 0,
    };
    const all = this.entries.get(key);
    if (all === undefined) this.entries.set(key, [entry]);
    else all.push(entry);
    return result;
  }

  /** From now on runs calls of this signature as they are. */
  private refuse(key: string, broken: Break, result: unknown): unknown {
    this.refused.set(key, this.noteBreak(broken));
    return result;
  }

  private asItIs(run: () => unknown, why: string, at: string | null): unknown {
    this.noteBreak({ why, at });
    return run();
  }

  private get isFull(): boolean {
    return this.count >= (this.options.maxRecords ?? 16);
  }

  private noteAgain(why: string): void {
    if (!this.isFull) this.again.push(why);
  }

  private noteBreak(broken: Break): string {
    const name = `${broken.why} ${broken.at}`;
    const found = this.breaks.get(name);
    if (found === undefined) this.breaks.set(name, { ...broken, calls: 1 });
    else found.calls++;
    return name;
  }

  explain(): CompileReport {
    const records: RecordReport[] = [];
    for (const [signature, entries] of this.entries)
      for (const { plan, replays } of entries) {
        const { kernels, actions, chains: fused, bytes, unshared } = plan;
        records.push({ signature, kernels, actions, fused, bytes, unshared, replays });
      }
    return {
      calls: this.calls,
      replays: this.replays,
      records,
      breaks: [...this.breaks.values()],
      again: [...this.again],
    };
  }

  reset(): void {
    this.entries.clear();
    this.breaks.clear();
    this.refused.clear();
    this.again.length = 0;
    this.count = 0;
    this.told = false;
  }
}

/** An argument of a condition: an argument of the compiled function becomes that of this call. */
function argumentNow(arg: unknown, recorded: readonly unknown[], now: readonly unknown[]): unknown {
  const at = recorded.indexOf(arg);
  return at >= 0 && typeof arg === 'object' ? now[at] : arg;
}

/** The first thing that has changed since the recording, or null. */
function firstChange(entry: Entry, tensors: readonly Tensor[]): string | null {
  for (const held of entry.held) {
    const changed = changeOf(held);
    if (changed !== null) return `${changed} changed`;
  }
  for (const condition of entry.conditions) {
    const changed = condition();
    if (changed !== null) return `${changed} changed`;
  }
  for (const leaf of entry.leaves) {
    const changed = changeOfLeaf(leaf);
    if (changed !== null) return changed;
  }
  for (let i = 0; i < tensors.length; i++) {
    if (hasHooks(tensors[i]!) !== entry.hooked[i]) return 'the hooks of an argument changed';
    if (entry.foreign.has(tensors[i]!.storage)) return 'an argument shares memory with a tensor from elsewhere';
  }
  for (const { at, leaf, isNull } of entry.entryGrads)
    if (((at < 0 ? leaf : tensors[at]!).heldGrad === null) !== isNull)
      return isNull
        ? 'a parameter has a gradient when the call begins'
        : 'a parameter has no gradient when the call begins';
  return null;
}

function changeOfLeaf({ t, storage, requiresGrad, hooked }: Leaf): string | null {
  if (t.storage !== storage) return 'the memory of a parameter is another one';
  if (t.requiresGrad !== requiresGrad) return 'requiresGrad of a parameter changed';
  return hasHooks(t) === hooked ? null : 'the hooks of a parameter changed';
}

/** Whether somebody sees the gradient of a leaf. */
const hasHooks = ({ accumulator }: Tensor): boolean => {
  if (accumulator === null) return false;
  const { gradHooks, postHooks, retained } = accumulator.node as AccumulateGrad;
  return (gradHooks?.size ?? 0) + (postHooks?.size ?? 0) + (retained?.size ?? 0) > 0;
};

/**
 * Whether the call has reached the memory of an argument by a tensor from elsewhere, which a replay would take for the argument.
 * What operators make of their operands is detached.
 */
const sharesMemory = ({ whole }: Recording, args: readonly Tensor[]): boolean =>
  [...whole].some(
    (t) => t.untracked !== 'detach' && !args.includes(t) && args.some(({ storage }) => storage === t.storage),
  );

/** Results that are nested deeper most likely contain themselves. */
const mostNested = 64;

/** Refuses results that a replay could not give. */
function refuseResult(recording: Recording, value: unknown, depth = 0): void {
  if (depth > mostNested) recording.refuse('it returns what is nested too deep, or contains itself');
  else if (Tensor.is(value)) {
    const { backend } = value.storage;
    if (recording.made.has(value.storage) && backend !== recording.device)
      recording.refuse(`it computes on ${recording.device.name} and returns what is made on ${backend.name}`);
  } else if (Array.isArray(value)) for (const item of value) refuseResult(recording, item, depth + 1);
  else if (isPlain(value)) for (const item of Object.values(value)) refuseResult(recording, item, depth + 1);
  else if (typeof value === 'number' || typeof value === 'bigint')
    recording.refuse('it returns a number, which a replay cannot compute; return the tensor');
  else if ((typeof value === 'object' && value !== null) || typeof value === 'function')
    recording.refuse(
      'it returns something else than tensors, plain values and arrays and plain objects of these, such as a promise',
    );
}

/** Refuses a backward pass of the call's own that leaves it: the graph of an argument is another one in each call. */
function refuseOuterPass(recording: Recording, nodes: ReadonlySet<Node>): void {
  for (const node of recording.passed)
    if (!nodes.has(node) && !(node instanceof AccumulateGrad))
      recording.refuse('its backward pass goes on through the graph of a tensor from elsewhere');
}

/** A text of what a call did; calls that do the same have the same text. */
function traceOf({ ops, made, entryGrads }: Recording, args: readonly Tensor[]): string {
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

function difference(before: string, now: string): string {
  const [a, b] = [before.split('\n'), now.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  const i = at < 0 ? a.length : at;
  return `  recorded: ${a[i] ?? '(nothing more)'}\n  now:      ${b[i] ?? '(nothing more)'}`;
}
