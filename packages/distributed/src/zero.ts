import { cat, enableGrad, noGrad, type Tensor, tensor, zeros } from '@gradgate/core';
import { check, checkOptions, is, show } from '@gradgate/core/internal';
import { decodeCheckpoint, encodeCheckpoint, type optim } from '@gradgate/nn';
import { isThenable, listOf } from '@gradgate/nn/internal';
import { allReduce, broadcast } from './collectives.js';
import { gatherBytes } from './gatherBytes.js';
import { checkMember, checkRank, type Group, groupKind, world } from './world.js';

type State = optim.OptimizerState;

/** The members that an optimizer needs; those of `optim` have them. */
interface Local {
  readonly paramGroups: { params: Tensor[]; lr: number; initialLr?: number }[];
  step(): unknown;
  stateDict(): State;
  loadStateDict(state: State): void;
}

const name = 'ZeroRedundancyOptimizer';

/**
 * An optimizer that keeps its memory, such as Adam's moments, only for this rank's share of the parameters: with n
 * ranks, an n-th of the memory (ZeRO, stage 1). After each step ranks send each other their shares of the parameters.
 * The parameters' path is that of the optimizer alone, and gradients are complete in all ranks, so `clipGradNorm_`
 * works as in one process.
 *
 * Its state is that of the optimizer alone, too: `consolidateStateDict()` brings it to one rank, whose `stateDict()`
 * can then be saved, and loaded by any number of ranks or by the optimizer without this class.
 *
 * @param make Makes the optimizer of some parameters, in all ranks with the same groups of options.
 *
 * @example
 * const optimizer = new ZeroRedundancyOptimizer(model.parameters(), (params) => new optim.AdamW(params, { lr: 1e-3 }));
 * optimizer.consolidateStateDict(); // in all ranks
 * await onMain(() => saveCheckpoint('last.safetensors', { model: ddp.module, optimizer }));
 */
export class ZeroRedundancyOptimizer {
  /** The optimizer of this rank's share of the parameters. */
  readonly local: Local;
  private readonly shares: readonly (readonly Tensor[])[];
  private readonly params: readonly Tensor[];
  private readonly group: Group;
  /** The index of the options group of each parameter; -1 for one in none. */
  private readonly groupIndices: readonly number[];
  private consolidated: State | null = null;

  constructor(params: Iterable<Tensor>, make: (params: Tensor[]) => Local, options?: { group?: Group }) {
    this.params = listOf(name, 'params', params);
    check(name, 'params', this.params, is.arrayOf(is.tensor));
    check(name, 'the second argument, which makes an optimizer of parameters,', make, is.callback);
    const { group = world() } = checkOptions(name, options, { group: groupKind });
    checkMember(name, group);
    if (this.params.length === 0) throw new TypeError(`${name}: got no parameters; pass module.parameters()`);
    this.group = group;
    this.shares = sharesOf(this.params, group.size);
    const own = this.shares[group.rank]!;
    // With fewer parameters than ranks some have none; schedulers still change their options.
    this.local = make(own.length > 0 ? [...own] : [zeros([0])]);
    if (!isOptimizer(this.local))
      throw new TypeError(`${name}: make must return an optimizer, got ${show(this.local)}`);
    this.groupIndices = this.groupIndicesOf();
  }

  private groupIndicesOf(): number[] {
    const indices = new Int32Array(this.params.length);
    this.local.paramGroups.forEach(({ params }, i) => {
      for (const p of params) if (this.params.includes(p)) indices[this.params.indexOf(p)] = i + 1;
    });
    return [...allReduce(tensor(indices), { op: 'max', group: this.group }).toTypedArray()].map((i) => i - 1);
  }

  /** The groups of this rank's optimizer, for schedulers, which change the learning rate in all ranks. */
  get paramGroups(): { params: Tensor[]; lr: number; initialLr?: number }[] {
    return this.local.paramGroups;
  }

  /**
   * Updates this rank's share, and gets those of the others. A closure computes the loss again before, with gradients
   * enabled; if it is asynchronous, the step waits for it: `await optimizer.step(async () => ...)`.
   */
  step(): undefined;
  /** Computes the loss again by `closure`, with gradients enabled, updates, and returns the closure's result. */
  step<R>(closure: () => R): R;
  step<R>(closure?: () => R): R | undefined {
    check(`${name}.step`, 'the closure', closure, is.optional(is.callback));
    const loss = closure && enableGrad.run(closure);
    if (!isThenable(loss)) {
      this.update();
      return loss;
    }
    return loss.then((value) => {
      this.update();
      return value;
    }) as R;
  }

  private update(): void {
    this.consolidated = null;
    this.local.step();
    if (this.group.size === 1) return;
    noGrad.run(() => {
      const sent = this.shares.flatMap((share, root) =>
        byDType(share).map((params) => {
          const flat = cat(params.map((p) => p.detach().reshape([-1])));
          return { params, root, work: broadcast(flat, { root, group: this.group, async: true }) };
        }),
      );
      for (const { params, root, work } of sent) {
        const flat = work.wait();
        if (root === this.group.rank) continue;
        let offset = 0;
        for (const p of params) {
          p.copy_(flat.narrow(0, offset, p.numel).reshape(p.shape));
          offset += p.numel;
        }
      }
    });
  }

  /** The numbers of the parameters, counted group by group, as in PyTorch. */
  private numbers(): Map<Tensor, number> {
    const order = [...this.params.keys()].filter((i) => this.groupIndices[i]! >= 0);
    order.sort((a, b) => this.groupIndices[a]! - this.groupIndices[b]! || a - b);
    return new Map(order.map((i, number) => [this.params[i]!, number]));
  }

  /** The options of all groups with the numbers of their parameters, and the memory of this rank's parameters. */
  private share(): State {
    const numbers = this.numbers();
    const own = this.local.stateDict();
    const params = this.local.paramGroups.flatMap((group) => group.params);
    const numbered = Object.entries(own.state).map(([i, memory]) => [numbers.get(params[Number(i)]!), memory]);
    return {
      state: Object.fromEntries(numbered.filter(([number]) => number !== undefined)),
      param_groups: own.param_groups.map((options, i) => ({
        ...options,
        params: [...numbers]
          .filter(([p]) => this.groupIndices[this.params.indexOf(p)] === i)
          .map(([, number]) => number),
      })),
    };
  }

  /**
   * Brings the memory of all ranks to rank `to`, 0 by default, whose `stateDict()` then returns the whole state until
   * the next step. All ranks must call it.
   */
  consolidateStateDict(to = 0): void {
    checkRank(`${name}.consolidateStateDict`, 'to', to, this.group);
    const share = this.share();
    const shares = gatherBytes(encodeCheckpoint({ share: holderOf(share) }), to, this.group);
    if (shares === null) return;
    const all = shares.map((bytes) => {
      const holder = holderOf({ state: {}, param_groups: [] });
      decodeCheckpoint(bytes, { share: holder });
      return holder.state;
    });
    this.consolidated = { ...share, state: Object.assign({}, ...all.map(({ state }) => state)) };
  }

  /**
   * Returns the whole state in a rank to which `consolidateStateDict()` has brought it; otherwise this rank's share,
   * which the same rank can load in a world of the same size.
   */
  stateDict(): State & { rank?: number; size?: number } {
    if (this.consolidated) return this.consolidated;
    const { rank, size } = this.group;
    return size === 1 ? this.share() : { ...this.share(), rank, size };
  }

  /**
   * Restores a whole state, of this class or of the optimizer alone, or this rank's share of one. Everything is checked
   * before anything changes. All ranks must call it.
   */
  loadStateDict(state: State & { rank?: number; size?: number }): void {
    const { rank, size } = this.group;
    const refusal = (what: string) => new TypeError(`${name}.loadStateDict: ${what}`);
    const { state: memory = {}, param_groups: groups } = (state ?? {}) as Partial<State>;
    if (!Array.isArray(groups) || !groups.every((g) => Array.isArray(g?.params)) || !is.object.is(memory))
      throw refusal(`takes a state from stateDict(), got ${show(state)}`);
    if (state.rank !== undefined && (state.rank !== rank || state.size !== size))
      throw refusal(
        `the state is the share of rank ${state.rank} of ${state.size}, not of rank ${rank} of ${size}; call consolidateStateDict() in all ranks before it is saved`,
      );
    const own = this.share().param_groups;
    const lengths = (list: State['param_groups']) => list.map((g) => g.params.length).join(', ');
    if (lengths(groups) !== lengths(own))
      throw refusal(`groups of ${lengths(groups) || 'no'} parameters do not fit those of ${lengths(own)}`);
    const numbers = this.numbers();
    const given = groups.flatMap((g) => g.params);
    const mine: State = { state: {}, param_groups: [] };
    let i = 0;
    this.local.paramGroups.forEach(({ params }, index) => {
      mine.param_groups.push({ ...groups[index]!, params: params.map((_, k) => i + k) });
      for (const p of params) {
        const remembered = memory[given[numbers.get(p) ?? -1]!];
        if (remembered !== undefined) mine.state[i] = remembered;
        i++;
      }
    });
    this.local.loadStateDict(mine);
    this.consolidated = null;
  }

  /** Sets the gradients of all parameters to null, or with `setToNull: false` to zeros. */
  zeroGrad(options?: { setToNull?: boolean }): void {
    for (const p of this.params) p.zeroGrad(options);
  }
}

const isOptimizer = (value: unknown): boolean =>
  is.object.is(value) &&
  Array.isArray((value as Local).paramGroups) &&
  [(value as Local).step, (value as Local).stateDict, (value as Local).loadStateDict].every(is.callback.is);

/** An object that holds a state, for a checkpoint. */
const holderOf = (state: State) => ({
  state,
  stateDict() {
    return this.state;
  },
  loadStateDict(loaded: State) {
    this.state = loaded;
  },
});

function byDType(params: readonly Tensor[]): Tensor[][] {
  const dtypes = [...new Set(params.map((p) => p.dtype))];
  return dtypes.map((dtype) => params.filter((p) => p.dtype === dtype));
}

/**
 * Divides parameters so that ranks have about equally many elements: the largest first, each to the rank with fewest.
 */
function sharesOf(params: readonly Tensor[], size: number): Tensor[][] {
  const shares: Tensor[][] = Array.from({ length: size }, () => []);
  const elements = new Array<number>(size).fill(0);
  for (const p of [...params].sort((a, b) => b.numel - a.numel)) {
    const least = elements.indexOf(Math.min(...elements));
    shares[least]!.push(p);
    elements[least]! += p.numel;
  }
  return shares;
}
