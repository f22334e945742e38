import type { Tensor } from '@gradgate/core';
import type { optim } from '@gradgate/nn';
import { broadcast } from './collectives.js';
import { type Group, world } from './world.js';

/** What is asked of an optimizer: those of `optim` have it. */
interface Local {
  readonly paramGroups: { params: Tensor[]; lr: number }[];
  step(): unknown;
  stateDict(): optim.OptimizerState;
  loadStateDict(state: optim.OptimizerState): void;
}

/**
 * An optimizer that keeps in each rank what it remembers of that rank's share of the parameters only, such as Adam's
 * moments: with n ranks an n-th of the memory (stage 1 of ZeRO). After each step the ranks send each other their shares of
 * the parameters. The parameters' path is that of the optimizer by itself.
 *
 * @param make Makes the optimizer of some parameters.
 *
 * @example
 * const optimizer = new ZeroRedundancyOptimizer(model.parameters(), (params) => new optim.AdamW(params, { lr: 1e-3 }));
 */
export class ZeroRedundancyOptimizer {
  /** This rank's optimizer; null where there are fewer parameters than ranks. */
  readonly local: Local | null;
  readonly #shares: readonly (readonly Tensor[])[];
  readonly #params: readonly Tensor[];
  readonly #group: Group;

  constructor(
    params: Iterable<Tensor>,
    make: (params: Tensor[]) => Local,
    { group = world() }: { group?: Group } = {},
  ) {
    this.#params = [...params];
    if (this.#params.length === 0)
      throw new TypeError('ZeroRedundancyOptimizer: got no parameters; pass module.parameters()');
    if (typeof make !== 'function')
      throw new TypeError(
        `ZeroRedundancyOptimizer: the second argument makes an optimizer of parameters, got ${typeof make}`,
      );
    this.#group = group;
    this.#shares = sharesOf(this.#params, group.size);
    const own = this.#shares[group.rank]!;
    this.local = own.length > 0 ? make([...own]) : null;
  }

  /** The groups of this rank's optimizer: for schedulers, which change the learning rate in all ranks alike. */
  get paramGroups(): { params: Tensor[]; lr: number }[] {
    return this.local?.paramGroups ?? [];
  }

  /** Updates this rank's share, and takes over those of the others. A closure computes the loss anew before. */
  step(): undefined;
  step<R>(closure: () => R): R;
  step<R>(closure?: () => R): R | undefined {
    const loss = closure?.();
    this.local?.step();
    const { size } = this.#group;
    if (size > 1)
      this.#shares
        .flatMap((share, root) => share.map((p) => broadcast(p.detach(), { root, group: this.#group, async: true })))
        .map((work) => work.wait());
    return loss;
  }

  zeroGrad({ setToNull = true }: { setToNull?: boolean } = {}): void {
    for (const p of this.#params) p.zeroGrad({ setToNull });
  }

  /** This rank's share of the state. Each rank saves its own, and loads it in a world of the same size. */
  stateDict(): { rank: number; size: number; local: optim.OptimizerState | null } {
    const { rank, size } = this.#group;
    return { rank, size, local: this.local?.stateDict() ?? null };
  }

  loadStateDict(state: { rank: number; size: number; local: optim.OptimizerState | null }): void {
    const { rank, size } = this.#group;
    if (state?.rank !== rank || state.size !== size)
      throw new TypeError(
        `ZeroRedundancyOptimizer.loadStateDict: this is the share of rank ${String(state?.rank)} of ${String(state?.size)}, not that of rank ${rank} of ${size}`,
      );
    if (state.local) this.local?.loadStateDict(state.local);
  }
}

/** Splits parameters so that all ranks have about as many elements: the largest first, each to who has least. */
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
