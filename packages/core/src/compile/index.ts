// The entry point `@gradgate/core/compile`: programs that compile nothing do not load it.

export { compile } from './compile.js';
export type { CompileOptions } from './options.js';
export type { Break } from './recorder.js';
export type { Compiled, CompileReport, RecordReport } from './report.js';
