import { bessel } from './bessel.js';
import { division } from './division.js';
import { errorFunction } from './errorFunction.js';
import { exponential } from './exponential.js';
import { gamma } from './gamma.js';
import { numbers } from './numbers.js';
import { powers } from './powers.js';
import { special } from './special.js';
import { trigonometric } from './trigonometric.js';
import { workgroup } from './workgroup.js';

/** Shared WGSL functions by name. A program includes those that it calls, and those that they call. */
const helpers: Readonly<Record<string, string>> = {
  ...special,
  ...bessel,
  ...numbers,
  ...trigonometric,
  ...exponential,
  ...division,
  ...powers,
  ...errorFunction,
  ...gamma,
  ...workgroup,
};

const names = Object.keys(helpers);
const uses = (code: string, name: string): boolean => new RegExp(`\\b${name}\\(`).test(code);

/** The code of the shared functions that `code` calls, and of those that they call. */
export function helpersOf(code: string): string {
  const found = new Set<string>();
  const visit = (text: string) => {
    for (const name of names)
      if (!found.has(name) && uses(text, name)) {
        found.add(name);
        visit(helpers[name]!);
      }
  };
  visit(code);
  return [...found].map((name) => helpers[name]!).join('\n');
}
