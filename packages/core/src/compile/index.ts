// The entry point `@gradgate/core/compile`: programs that compile nothing do not load it.

export { type Compiled, type CompileOptions, type CompileReport, compile, type RecordReport } from './compile.js';
export type { Break } from './recorder.js';
