import { Tensor } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import type { Module } from './module.js';
import { shapeText } from './shapeText.js';

/** Where an error came from, as far as it is known from the calls that it passed through. */
interface Trail {
  readonly module: Module;
  readonly message: string;
  readonly args: readonly unknown[];
  /** The outermost module so far in which the path is known, and the path. */
  top: Module;
  path: string;
  /** The message that the error has now. */
  shown: string;
}

const trails = new WeakMap<Error, Trail>();

/**
 * The same error, with the module that it came from in its message: `body.2 (Linear): linear: ... (called with [5,
 * 7])`. Each call that it passes through makes the path longer.
 */
export function located(error: unknown, module: Module, args: readonly unknown[]): unknown {
  if (!(error instanceof Error)) return error;
  let trail = trails.get(error);
  if (trail === undefined) {
    trail = { module, message: error.message, args, top: module, path: '', shown: error.message };
    trails.set(error, trail);
  } else if (!lengthen(trail, module)) return error;
  try {
    showTrail(error, trail);
  } catch {
    // Errors that are frozen, or compute their message, stay as they are.
  }
  return error;
}

/** Whether the path can be extended by `module`. */
function lengthen(trail: Trail, module: Module): boolean {
  for (const [name, part] of module.namedModules())
    if (part === trail.top && name !== '') {
      trail.path = trail.path === '' ? name : `${name}.${trail.path}`;
      trail.top = module;
      return true;
    }
  return false;
}

function showTrail(error: Error, trail: Trail): void {
  const { name } = trail.module.constructor;
  const own = trail.message.startsWith(`${name}: `) ? trail.message.slice(name.length + 2) : trail.message;
  const where = trail.path === '' ? name : `${trail.path} (${name})`;
  const text = `${where}: ${own} (called with ${trail.args.map(describe).join(', ') || 'nothing'})`;
  const { stack } = error;
  error.message = text;
  // The stack was written when the error was made, with the message of that time.
  if (typeof stack === 'string') error.stack = stack.replace(trail.shown, () => text);
  trail.shown = text;
}

const describe = (arg: unknown): string =>
  Tensor.is(arg) ? `${arg.dtype === 'float32' ? '' : `${arg.dtype} `}${shapeText(arg)}` : show(arg);
