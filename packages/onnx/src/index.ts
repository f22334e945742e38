/** ONNX files of modules: `exportOnnx`. */
export { type ExportOptions, exportOnnx } from './export.js';
