import { ThrownByArgument } from './arguments.mjs';

/** V8's own messages. */
const v8 =
  /Cannot read|is not a function|is not iterable|is not a constructor|Invalid typed array|Invalid array|Array buffer|Cannot convert|Cannot mix|Maximum call stack|^(?:undefined|null|object|number|function|symbol|string|boolean) .{0,20}is not |Cannot destructure|Class constructor|Cannot set prop|Cannot assign|Cannot redefine|Cannot define|Invalid time|Invalid string length|Invalid count|out of bounds|offset is outside|private member|private field|Reduce of empty|object is not extensible|read only|Generator is already|called on incompatible|not a valid|Invalid Date|allocation failed|is not defined|before initialization|unreachable|The "\w+" argument|invalid array length|toFixed|circular structure|serialize a BigInt|could not be cloned|undefined \(reading|Receiver must be/i;

/** System errors about files, which contain the path. */
const ofFiles = new Set(['ENOENT', 'EISDIR', 'ENAMETOOLONG', 'ENOTDIR', 'EEXIST']);

/** Why an error does not help: it is V8's own, or does not begin with the name of who refuses. Null for good ones. */
export function fault(error) {
  if (!(error instanceof Error)) return `throws ${String(error)}`;
  // Errors that an argument throws when it is read, and those of revoked proxies, are fine.
  if (error instanceof ThrownByArgument || /proxy that has been revoked/.test(error.message)) return null;
  if (ofFiles.has(error.code)) return null;
  if (v8.test(error.message)) return error.message;
  return /^[\w@][\w.#@/ -]*(\([\w, ]*\))?: /.test(error.message) ? null : `names nobody: ${error.message}`;
}

/** V8's errors are faults where code of the packages threw them; a program's own are its own. */
export function judged(error) {
  if (!(error instanceof Error)) return `throws ${String(error)}`;
  if (error instanceof ThrownByArgument || error.cause instanceof ThrownByArgument) return null;
  const frames = String(error.stack).split('\n    at ').slice(1);
  const thrower = frames.find((frame) => /\(eval at|file:/.test(frame)) ?? '';
  if (/\(eval at|exampleWorker|change\.mjs|arguments\.mjs|prepare\.mjs/.test(thrower)) return null;
  return fault(error);
}
