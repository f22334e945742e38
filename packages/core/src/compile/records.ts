import { rebound } from '../grad/cover.js';
import { report } from '../grad/diagnostics.js';
import { callIn, currentObserver } from '../grad/flow.js';
import { type Node, watchNodes } from '../graph/node.js';
import { currentSavedTensorHooks } from '../graph/savedTensorHooks.js';
import { batching } from '../memory/batching.js';
import { recording as current } from '../memory/recording.js';
import { type Entry, entryOf, firstChange } from './entry.js';
import { GraphPlan, resultsWithGraph } from './graph.js';
import type { CompileOptions } from './options.js';
import { Plan } from './plan.js';
import { type Asked, type Break, Recording } from './recorder.js';
import { refuseOuterPass, refuseResult, sharesMemory } from './refusals.js';
import type { CompileReport, RecordReport } from './report.js';
import { type Signature, signatureOf } from './signature.js';
import { difference, traceOf } from './trace.js';

export type AnyFunction = (this: any, ...args: any[]) => any;

/** The records of one compiled function. */
export class Records {
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
    if (batching.current !== null) return this.asItIs(run, 'it is called inside of vmap');
    if (currentObserver()) return this.asItIs(run, 'somebody observes gates');
    if (currentSavedTensorHooks() !== null) return this.asItIs(run, 'hooks on saved tensors are in force');
    const signature = signatureOf(self, args);
    if (signature.refused !== null) return this.asItIs(run, signature.refused);
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
    const name = this.fn.name || 'compile';
    if (this.options.reuseResults) recording.lender = name;
    const outs = resultsWithGraph(recording, result, tensors);
    const plan =
      outs.length === 0
        ? new Plan(recording, tensors, result)
        : GraphPlan.of(name, recording, nodes, tensors, result, outs);
    if (plan === null) return this.refuse(key, recording.broken!, result);
    this.count++;
    const entry = entryOf(recording, plan, args, tensors, trace);
    this.entries.set(key, [...(this.entries.get(key) ?? []), entry]);
    return result;
  }

  /** From now on runs calls of this signature as they are. */
  private refuse(key: string, broken: Break, result: unknown): unknown {
    this.refused.set(key, this.noteBreak(broken));
    return result;
  }

  private asItIs(run: () => unknown, why: string): unknown {
    this.noteBreak({ why, at: null });
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
      for (const { plan, replays } of entries) records.push({ signature, replays, ...plan.report });
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
