/// <reference lib="esnext.disposable" preserve="true" />
import { placeHint, report } from './diagnostics.js';
import { type Frame, GradModeError } from './frame.js';

/** A mode held open by `using`, until the block ends. */
export interface Scope {
  [Symbol.dispose](): void;
}

/** Scopes that the end of the turn would find open, innermost last. */
const open: Frame[] = [];
let sweepDue = false;

/** Opens a scope on `host`. It is for synchronous code: one that outlives its turn is closed and reported. */
export function openScope(frame: Frame, host: Frame): Scope {
  host.scope = frame;
  frame.host = host;
  if (!host.ownedByGenerator) {
    open.push(frame);
    if (!sweepDue) {
      sweepDue = true;
      Promise.resolve().then(sweepAll);
    }
  }
  return new OpenScope(frame);
}

class OpenScope implements Scope {
  constructor(private readonly frame: Frame) {}
  [Symbol.dispose](): void {
    closeScope(this.frame);
  }
}

/** Takes the scope out of its frame's chain, wherever it stands there. */
function unlink(frame: Frame): void {
  const host = frame.host!;
  if (open.at(-1) === frame) open.pop();
  else if (open.includes(frame)) open.splice(open.indexOf(frame), 1);
  if (host.scope === frame) host.scope = frame.parent === host ? null : frame.parent;
  else
    for (let scope = host.scope; scope !== null && scope !== host; scope = scope.parent)
      if (scope.parent === frame) (scope as { parent: Frame | null }).parent = frame.parent;
}

const opened = (frame: Frame): string =>
  frame.opener === null ? placeHint() && `; ${placeHint()}` : `, opened at ${frame.opener}`;

function closeScope(frame: Frame): void {
  const before = frame.ended;
  if (before === 'closed') throw new GradModeError(`this ${frame.kind} scope is closed already${opened(frame)}`);
  frame.ended = 'closed';
  if (before === 'swept')
    throw new GradModeError(
      `this ${frame.kind} scope was held across an await or beyond its gate${opened(frame)}; it covered nothing there. ` +
        `Scopes are for synchronous code: use ${frame.kind}.run(async () => ...) or a decorator`,
    );
  const host = frame.host!;
  const innermost = host.scope === frame;
  unlink(frame);
  if (!innermost)
    throw new GradModeError(
      `this ${frame.kind} scope was closed before one that was opened inside it${opened(frame)}; close scopes in reverse order, as \`using\` does`,
    );
}

function sweep(frame: Frame): void {
  if (frame.ended !== null) return;
  frame.ended = 'swept';
  unlink(frame);
  report(
    `a ${frame.kind} scope was left open, or held across an await, and has been closed${opened(frame)}; ` +
      `write \`using _ = ${frame.kind}.enter()\` in synchronous code, and ${frame.kind}.run(...) elsewhere`,
  );
}

/** Runs when the turn is over: synchronous code has closed its scopes by then. */
function sweepAll(): void {
  sweepDue = false;
  for (const frame of [...open].reverse()) sweep(frame);
}

/** Scopes that the guarded code left open end with it. */
export function endScopes(frame: Frame): void {
  if (frame.ownedByGenerator) return;
  for (let scope: Frame | null = frame.scope; scope !== null && scope !== frame; scope = scope.parent) sweep(scope);
}
