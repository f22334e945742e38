import type { Tensor } from '@gradgate/core';
import { kernelsOf, type StepRule } from '@gradgate/core/internal';
import { toSparse } from '@gradgate/core/sparse';

/**
 * `applyStep` of a sparse gradient: the rule goes over its rows of the parameter and of the memory, and the others
 * stay.
 */
export function stepRows(
  rule: StepRule,
  p: Tensor,
  grad: Tensor,
  memory: readonly Tensor[],
  numbers: readonly number[],
): void {
  const rows = toSparse(grad);
  const index = rows.indices().select(0, 0);
  const all = [p, ...memory].map((t) => t.detach());
  const [own, ...rest] = all.map((t) => t.indexSelect(0, index)) as [Tensor, ...Tensor[]];
  kernelsOf('step', own, rows.values()).step(rule, own, rows.values(), rest, numbers);
  const at = index.unsqueeze(1).expand(own.shape);
  all.forEach((t, i) => {
    const part = i === 0 ? own : rest[i - 1]!;
    // A copy of all of it for some rows is for those that lie in no order.
    if (!t.isContiguous) t.indexCopy_(0, index, part);
    else {
      kernelsOf('step', t, at, part).scatter('set', 0, at, part, t);
      t.storage.version++;
    }
  });
}
