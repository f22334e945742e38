import type { Frame } from './frame.js';

/** Takes the reports of development mode and of scopes that were left open. */
export type Reporter = (message: string) => void;

const environment = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env;
let development = environment?.['GRADGATE_DEV'] === '1';
let reporter: Reporter | null = null;

/**
 * In development mode every frame notes where it was opened, so that errors and reports can name the place. Slow.
 * Also on from the start with `GRADGATE_DEV=1` in the environment. Returns whether it was on.
 */
export function setDevelopmentMode(on: boolean): boolean {
  const before = development;
  development = on;
  return before;
}

/** Sends reports to `to` rather than to `console.warn`; `null` puts that back. Returns who had them before. */
export function setReporter(to: Reporter | null): Reporter | null {
  const before = reporter;
  reporter = to;
  return before;
}

export function report(message: string): void {
  if (reporter) reporter(message);
  else console.warn(`gradgate: ${message}`);
}

/** Our own files, as stack traces show them: this folder. In a bundle there is no such folder. */
const folder = import.meta.url.replace(/diagnostics\.\w+(\?.*)?$/, '');
const isOwn: (line: string) => boolean =
  folder === import.meta.url
    ? // Then by name, which a minifier may have taken away: the place is some lines too deep at worst.
      (line) =>
        /\bat (?:new )?(?:findPlace|place|Frame|newFrame|frameFor|runGuarded|guarded|rebound|(?:Object\.)?(?:run|enter)|setGradEnabled)\b/.test(
          line,
        )
    : (line) => line.includes(folder) || line.includes(folder.replace(/^file:\/\//, ''));

/** Where the code that called into this folder stands, as `file:line:column`; null unless in development mode. */
export function place(): string | null {
  return development ? findPlace() : null;
}

/** Apart from `place`, which is on the way of every guarded call and small enough to be inlined there. */
function findPlace(): string | null {
  const stack = new Error().stack?.split('\n').slice(1) ?? [];
  const line = stack.find(
    (l) => !isOwn(l) && !l.includes('node:internal') && !l.includes('node:async_hooks') && !l.includes('<anonymous>'),
  );
  return line?.replace(/^\s*at\s+/, '').replace(/^.*\((.*)\)$/, '$1') ?? null;
}

/** How to learn the place of a frame that noted none: nothing where development mode is on already. */
export const placeHint = (): string => (development ? '' : 'setDevelopmentMode(true) or GRADGATE_DEV=1 tells where');

/** A frame in words: its gate, the method it guards, and where it was opened. */
export function describeFrame(frame: Frame): string {
  const name = frame.kind === 'root' ? 'setGradEnabled(false)' : frame.kind;
  const member = frame.member ? ` on ${frame.member}` : '';
  return frame.opener ? `${name}${member} at ${frame.opener}` : `${name}${member}${placeHint() && ` (${placeHint()})`}`;
}
