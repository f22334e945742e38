import { show } from '@gradgate/core/internal';

/** Throws unless each entry of an optimizer's `paramGroups` is a group: anybody may have changed the list. */
export function checkGroups(op: string, groups: readonly unknown[]): void {
  const at = groups.findIndex((group) => typeof group !== 'object' || group === null);
  if (at >= 0)
    throw new TypeError(`${op}: paramGroups of the optimizer has ${show(groups[at])} at ${at}, which is no group`);
}
