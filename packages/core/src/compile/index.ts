// The entry point `@gradgate/core/compile`: programs that compile nothing do not load it.

export { type CompileOptions, compile } from './compile.js';
export type { Break } from './recorder.js';
export type { Compiled, CompileReport, RecordReport } from './report.js';
