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
  frame.host = host;
  frame.outer = host.scope;
  host.scope = frame;
  const scopes = listOf(host);
  scopes.push(frame);
  if (scopes === open && !sweepDue) {
    sweepDue = true;
    Promise.resolve().then(sweepAll);
  }
  return new OpenScope(frame);
}

/** The body of a guarded generator keeps its own: they may stay open across a yield. */
const listOf = ({ step }: Frame): Frame[] => (step?.isRunning ? step.body.held : open);

class OpenScope implements Scope {
  constructor(private readonly frame: Frame) {}
  [Symbol.dispose](): void {
    closeScope(this.frame);
  }
}

function remove(frame: Frame, list: Frame[]): boolean {
  const i = list.lastIndexOf(frame);
  if (i !== -1) list.splice(i, 1);
  return i !== -1;
}

/** Takes the scope off its host, wherever it stands there. */
function unlink(frame: Frame): void {
  const host = frame.host!;
  if (open.at(-1) === frame) open.pop();
  else if (!remove(frame, open) && host.step) remove(frame, host.step.body.held);
  if (host.scope === frame) host.scope = frame.outer;
  else
    for (let scope = host.scope; scope !== null; scope = scope.outer)
      if (scope.outer === frame) scope.outer = frame.outer;
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
  const innermost = frame.host!.scope === frame;
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
    `a ${frame.kind} scope was left open, or held across an await or a yield, and has been closed${opened(frame)}; ` +
      `write \`using _ = ${frame.kind}.enter()\` in synchronous code, and ${frame.kind}.run(...) elsewhere`,
  );
}

/** Runs when the turn is over: synchronous code has closed its scopes by then. */
function sweepAll(): void {
  sweepDue = false;
  for (const frame of [...open].reverse()) sweep(frame);
}

/** How many scopes are open that have to end in this turn. */
export const countOpen = (): number => open.length;

/** Closes and reports those that were opened since there were `count`. */
export function closeSince(count: number): void {
  while (open.length > count) sweep(open.at(-1)!);
}

/** Scopes that the guarded code left open end with it. */
export function endScopes(frame: Frame): void {
  if (frame.step !== null) return;
  for (let scope = frame.scope; scope !== null; scope = scope.outer) sweep(scope);
}
