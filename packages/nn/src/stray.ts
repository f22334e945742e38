import { isGradEnabled } from '@gradgate/core';
import { report } from '@gradgate/core/internal';
import { className, membersOf, type Registry } from './members.js';

/**
 * Reports, once, a module with trainable parameters that another one calls without owning it. One in a `#private`
 * field, for example, which nobody outside of the class can see, would be neither trained nor saved.
 */
export function reportStray(caller: Registry, stray: Registry): void {
  if (!isGradEnabled()) return;
  // Collections are searched only when their members are needed: this may be the first time.
  for (const _ of membersOf(caller.module));
  if (stray.owned) return;
  // Once.
  stray.owned = true;
  for (const p of stray.module.parameters())
    if (p.requiresGrad) {
      report(
        `${className(caller.module)} calls a ${className(stray.module)} that is no part of any module, so its parameters are ` +
          'neither trained nor saved with the model. #private fields cannot be seen: make it a public field, or freeze it ' +
          'with requiresGrad_(false) if that is meant',
      );
      return;
    }
}
