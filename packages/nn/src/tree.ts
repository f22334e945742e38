import type { Module } from './module.js';

/** A module and those below it, as an indented tree; a reference back to one of those `above` ends there. */
export function treeOf(module: Module, above: readonly Module[] = []): string {
  const inside = [...above, module];
  const children = [...module.namedChildren()].map(([name, child]) =>
    inside.includes(child)
      ? `  (${name}): ${child.constructor.name}, which this is a part of`
      : `  (${name}): ${treeOf(child, inside).replaceAll('\n', '\n  ')}`,
  );
  const extra = module.extraRepr();
  if (children.length === 0) return `${module.constructor.name}(${extra})`;
  return `${module.constructor.name}(${extra}\n${children.join('\n')}\n)`;
}
