import type { Frame } from './frame.js';
import { isClass } from './original.js';

/** Receives the reports of development mode and of scopes that were left open. */
export type Reporter = (message: string) => void;

const environment = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env;
let development = environment?.['GRADGATE_DEV'] === '1';
let reporter: Reporter | null = null;

/**
 * In development mode every frame notes where it was opened, so that errors and reports can name the place. Slow.
 * Also on from the start with `GRADGATE_DEV=1` in the environment. Returns whether it was on.
 */
export function setDevelopmentMode(on: boolean): boolean {
  if (typeof on !== 'boolean') throw new TypeError(`setDevelopmentMode: expected true or false, got ${typeof on}`);
  const before = development;
  development = on;
  if (on !== before) watch?.(on);
  return before;
}

let watch: ((on: boolean) => void) | null = null;

/** Calls `fn` when development mode begins and ends. */
export function whenDeveloping(fn: (on: boolean) => void): void {
  watch = fn;
  if (development) fn(true);
}

/** Sends reports to `to` instead of `console.warn`; `null` restores that. Returns the reporter before. */
export function setReporter(to: Reporter | null): Reporter | null {
  checkCallback('setReporter', to);
  const before = reporter;
  reporter = to;
  told.clear();
  return before;
}

/** Refuses values that are neither functions nor null, which removes a callback. */
export function checkCallback(op: string, callback: unknown): void {
  const got = typeof callback === 'function' ? isClass(callback) && 'a class' : callback !== null && typeof callback;
  if (got) throw new TypeError(`${op}: expected a function, or null for none, got ${got}`);
}

/** What `reportOnce` has reported. */
const told = new Set<string>();

/** Reports what a loop would repeat only once: per place in development mode, otherwise per text. */
export function reportOnce(message: string): void {
  if (told.has(message) || told.size >= 1000) return;
  told.add(message);
  report(message);
}

export function report(message: string): void {
  if (reporter) reporter(message);
  else console.warn(`gradgate: ${message}`);
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * The position in a line of a stack trace, as V8 (`at name (file:line:column)`) and others (`name@file:line:column`)
 * write it.
 */
function placeIn(traceLine = ''): Place | null {
  const where = /^\s*at (?:[^(]* \((.*)\)|(.*))$/.exec(traceLine);
  const text = where ? (where[1] ?? where[2]!) : traceLine.slice(traceLine.indexOf('@') + 1);
  // Code from `eval` has no file: the position is that of the code which called it.
  const from = (text.startsWith('eval at ') && /\((?!eval at )(.+?:\d+:\d+)\)/.exec(text)?.[1]) || text;
  const [, file, line, column] = /^(?:async )?(.*):(\d+):(\d+)$/.exec(from) ?? [];
  return file === undefined ? null : { file, line: Number(line), column: Number(column) };
}

/** Where an error was made. */
const origin = (error: Error): Place | null =>
  String(error.stack)
    .split('\n')
    .map(placeIn)
    .find((p) => p !== null) ?? null;

const isBefore = (a: Place, b: Place): boolean => a.line < b.line || (a.line === b.line && a.column < b.column);

/** The name of this file in stack traces: not every module format has `import.meta.url`. */
const start = origin(new Error());
/** The folder of our own files. A bundle has none. */
const folder = /^(.*[/\\])diagnostics\.\w+(\?.*)?$/.exec(start?.file ?? '')?.[1];
let end: Place | null = null;

/**
 * Called by the last module of this folder: a bundle keeps modules in execution order, so the whole folder lies between
 * two lines.
 */
export function endOfFolder(error: Error): void {
  end = origin(error);
}

function isOwn(traceLine: string): boolean {
  if (folder !== undefined) return traceLine.includes(folder);
  const place = placeIn(traceLine);
  if (!place || !start || !end || place.file !== start.file) return false;
  return !isBefore(place, start) && !isBefore(end, place);
}

/** The position of the code that called into this folder, as `file:line:column`; null unless in development mode. */
export function callSite(): string | null {
  return development ? findPlace() : null;
}

/** Files of the runtime itself, in Node, Deno and Bun; these also have frames without a file. */
const ofRuntime = /^(?:node|ext|internal|native|bun|unknown)(?::|$)/;

/** The position of the caller `depth` calls above; null unless in development mode. */
export function placeAbove(depth: number): string | null {
  if (!development) return null;
  const at = String(new Error().stack)
    .split('\n')
    .map(placeIn)
    .filter((p) => p !== null)[depth + 1];
  return at ? `${at.file}:${at.line}:${at.column}` : null;
}

/** Separate from `place`, which is on the path of every guarded call and small enough to be inlined there. */
function findPlace(): string | null {
  for (const traceLine of String(new Error().stack).split('\n')) {
    const at = placeIn(traceLine);
    if (at !== null && !isOwn(traceLine) && !ofRuntime.test(at.file)) return `${at.file}:${at.line}:${at.column}`;
  }
  return null;
}

/** Whether development mode is on. */
export const isDeveloping = (): boolean => development;

/** The advice for a frame without a noted place; empty if development mode is on. */
export const placeHint = (): string => (development ? '' : 'setDevelopmentMode(true) or GRADGATE_DEV=1 tells where');

/** A frame in words: its gate, the guarded method, and where it was opened. */
export function describeFrame(frame: Pick<Frame, 'kind' | 'member' | 'opener'>): string {
  if (typeof frame?.kind !== 'string') throw new TypeError('describeFrame: takes a frame, as currentFrame() gives');
  const name = frame.kind === 'root' ? 'setGradEnabled(false)' : frame.kind;
  const member = frame.member ? ` on ${frame.member}` : '';
  return frame.opener ? `${name}${member} at ${frame.opener}` : `${name}${member}${placeHint() && ` (${placeHint()})`}`;
}
