import { gradPolicies } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { oneLine } from './text.js';

/**
 * A table of the gradient policies that decorators set on the classes in `exports`, and on the classes of its objects.
 */
export function policiesTable(exports: Record<string, unknown>): string {
  check('policiesTable', 'exports', exports, is.object);
  const classes = new Set<new (...args: any[]) => unknown>();
  for (const value of Object.values(exports)) {
    if (typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value)))
      classes.add(value as never);
    else if ((typeof value === 'object' || typeof value === 'function') && value !== null) {
      const { constructor } = value as { constructor?: unknown };
      if (typeof constructor === 'function' && constructor !== Object && constructor !== Function)
        classes.add(constructor as never);
    }
  }
  const rows = [...classes].flatMap((Class) =>
    gradPolicies(Class).map((p) => [
      Class.name,
      `${p.static ? 'static ' : ''}${String(p.member)}`,
      p.kind,
      p.gate,
      p.condition === null ? 'always' : Function.prototype.toString.call(p.condition).replace(/\s+/g, ' '),
      p.declaredIn,
    ]),
  );
  if (rows.length === 0) return 'no class with decorated members is exported';
  const table = [
    ['class', 'member', 'kind', 'gate', 'condition', 'declared in'],
    ...rows.map((row) => row.map(oneLine)),
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
