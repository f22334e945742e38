import { cpu } from '../backend/cpu.js';
import { giveBack } from '../backend/gone.js';
import { HostStorage } from '../backend/host/storage.js';
import type { View } from '../backend/kernels.js';
import { residence } from '../backend/wasm/residency.js';
import type { Storage } from '../memory/storage.js';
import { Tensor } from '../tensor/tensor.js';
import type { Recording } from './recorder.js';

/** Results that lie in the memory of a plan until its next replay, which writes there again. */
export interface Lent {
  /** The result that a view of the plan's memory is; null where that is not lent. */
  lend(view: View): Tensor | null;
  /** Whether a result of the last replay lies in this storage. */
  has(storage: Storage): boolean;
  /** From now on each use of what was lent is an error. */
  takeBack(): void;
}

/** Whether such results are lent. Small ones are made anew: to lend them would take longer. */
export const isLendable = (dtype: string, length: number): boolean => dtype === 'float32' && length >= residence.from;

/** What a plan lends; null if its results have memory of their own. */
export function lentBy({ lender, device }: Recording): Lent | null {
  if (lender === null || device !== cpu) return null;
  const how = () => `by the next call of ${lender}, compiled with reuseResults; keep a clone()`;
  /** What results lie in, by the plan's storage over the same memory. */
  const lent = new Map<Storage, Storage>();
  return {
    lend({ storage, dtype, shape, strides, offset }) {
      const { length } = storage;
      if (!isLendable(dtype, length)) return null;
      const own = lent.get(storage) ?? HostStorage.on(storage as HostStorage, 'float32', length);
      lent.set(storage, own);
      return new Tensor(own, dtype, shape, strides, offset);
    },
    has: (storage) => [...lent.values()].includes(storage),
    takeBack() {
      for (const storage of lent.values()) giveBack(storage, how);
      lent.clear();
    },
  };
}
