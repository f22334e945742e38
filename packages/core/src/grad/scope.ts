/// <reference lib="esnext.disposable" preserve="true" />
import { placeHint, reportOnce } from './diagnostics.js';
import type { Ending } from './ending.js';
import { type Frame, GradModeError } from './frame.js';

/** A mode that `using` keeps in force until the block ends. */
export interface Scope {
  [Symbol.dispose](): void;
}

/** A scope, and the frame that it is open on. */
export class OpenScope implements Scope {
  constructor(
    readonly frame: Frame,
    public host: Frame,
  ) {}
  [Symbol.dispose](): void {
    close(this);
  }
}

/** Scopes that are open in this turn, innermost last. */
const open: OpenScope[] = [];
let sweepDue = false;
/** For scopes whose gate has an ending: what to do at their end. */
const endings = new Map<Frame, Ending>();

/** Opens a scope on `host`. For synchronous code: a scope that outlives its turn is closed and reported. */
export function openScope(frame: Frame, host: Frame, ending: Ending | null): Scope {
  if (ending !== null) endings.set(frame, ending);
  frame.scope = host.scope;
  host.scope = frame;
  const scope = new OpenScope(frame, host);
  const scopes = listOf(host);
  scopes.push(scope);
  if (scopes.length > maxScopes) closeOldest(scopes);
  if (scopes === open && !sweepDue) {
    sweepDue = true;
    Promise.resolve().then(sweepAll);
  }
  return scope;
}

/** So many are open at once only where a loop drops them: a recursion that deep would overflow the stack. */
const maxScopes = 2 ** 17;

/** Closes the older half of the scopes, which no code is inside of: they would pile up until the end of the turn. */
function closeOldest(list: OpenScope[]): void {
  const oldest = list.splice(0, list.length >> 1).reverse();
  for (const { frame } of oldest) reportUnclosed(frame);
  for (const host of new Set(oldest.map((scope) => scope.host)))
    for (let at = host; at.scope !== null; )
      if (at.scope.ended === 'swept') at.scope = at.scope.scope;
      else at = at.scope;
  // What is shown inside of them must not hold them: remaining scopes, and gates in between.
  for (let at: Frame | null = list.at(-1)!.frame; at !== null; at = at.parent)
    while (at.parent?.ended === 'swept') at.parent = at.parent.parent;
}

/** The body of a guarded generator has scopes of its own, which may stay open across a yield. */
const listOf = ({ step }: Frame): OpenScope[] => (step?.isRunning ? step.body.held : open);

function remove(frame: Frame, list: OpenScope[]): boolean {
  const i = list.findLastIndex((scope) => scope.frame === frame);
  if (i !== -1) list.splice(i, 1);
  return i !== -1;
}

/** Takes the scope off its host, at whatever depth it is. */
function unlink(frame: Frame, host: Frame): void {
  if (open.at(-1)?.frame === frame) open.pop();
  else if (!remove(frame, open) && host.step) remove(frame, host.step.body.held);
  if (host.scope === frame) host.scope = frame.scope;
  else
    for (let { scope } = host; scope !== null; scope = scope.scope)
      if (scope.scope === frame) scope.scope = frame.scope;
}

const opened = (frame: Frame): string =>
  frame.opener === null ? placeHint() && `; ${placeHint()}` : `, opened at ${frame.opener}`;

function close({ frame, host }: OpenScope): void {
  const before = frame.ended;
  if (before === 'closed') throw new GradModeError(`${frame.kind}: this scope is closed already${opened(frame)}`);
  frame.ended = 'closed';
  if (before === 'swept')
    throw new GradModeError(
      `${frame.kind}: this scope was held across an await or beyond its gate${opened(frame)}; it covered nothing there. ` +
        `Scopes are for synchronous code: use ${frame.kind}.run(async () => ...) or a decorator`,
    );
  const innermost = host.scope === frame;
  unlink(frame, host);
  endScope(frame);
  if (!innermost)
    throw new GradModeError(
      `${frame.kind}: this scope was closed before one that was opened inside it${opened(frame)}; close scopes in reverse order, as \`using\` does`,
    );
}

function endScope(frame: Frame): void {
  if (endings.size === 0) return;
  endings.get(frame)?.end();
  endings.delete(frame);
}

function sweep(frame: Frame, host: Frame): void {
  if (frame.ended === 'closed' || frame.ended === 'swept') return;
  unlink(frame, host);
  reportUnclosed(frame);
}

/** Marks a scope that nobody closed, and reports it. */
function reportUnclosed(frame: Frame): void {
  frame.ended = 'swept';
  endScope(frame);
  reportOnce(
    `a ${frame.kind} scope was left open, or held across an await or a yield, and has been closed${opened(frame)}; ` +
      `write \`using _ = ${frame.kind}.enter()\` in synchronous code, and ${frame.kind}.run(...) elsewhere`,
  );
}

/** Runs at the end of the turn, when synchronous code has closed its scopes. */
function sweepAll(): void {
  sweepDue = false;
  closeSince(0);
}

/** How many open scopes have to end in this turn. */
export const countOpen = (): number => open.length;

/** Closes and reports the scopes that were opened since there were `count`. */
export function closeSince(count: number): void {
  for (const { frame, host } of open.slice(count).reverse()) sweep(frame, host);
}

/** Ends the scopes that the guarded code left open. Those of a generator's body stay, but no call is inside of them. */
export function endScopes(host: Frame): void {
  for (let { scope } = host; scope !== null; scope = scope.scope)
    if (host.step === null) sweep(scope, host);
    else scope.ended = 'left';
}
