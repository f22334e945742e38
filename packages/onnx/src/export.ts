import {
  currentGenerator,
  evaluating,
  forkRng,
  Generator,
  setDefaultDevice,
  Tensor,
  TensorError,
  type View,
} from '@gradgate/core';
import { checkOptions, is, show } from '@gradgate/core/internal';
import { functionalCall, Module } from '@gradgate/nn';
import { drawsRandom, label, tracing } from './device.js';
import { encodeModel, type Graph, type Initializer, type Node, type Value } from './proto.js';
import { Trace } from './trace.js';

/** Names in the file, by which a runtime passes inputs and gets outputs. */
export interface ExportOptions {
  /** The names of the tensors among the inputs, in order; `input`, `input_1`, ... by default. */
  readonly inputNames?: readonly string[];
  /**
   * The names of the outputs, in order; `output`, `output_1`, ... by default, or the keys if the model returns a
   * record.
   */
  readonly outputNames?: readonly string[];
}

const optionKinds = { inputNames: is.arrayOf(is.string), outputNames: is.arrayOf(is.string) };

/**
 * Exports a model as an ONNX file: its computation in eval mode (without dropout, batch norms with running statistics)
 * for inputs of these shapes and dtypes, with its parameters by name. The model runs once and is not changed. Its
 * operations must not depend on the values of its inputs.
 *
 * @param model The module.
 * @param inputs The arguments of its `forward`: tensors become inputs of the graph, other arguments stay as in this
 * call.
 * @param options Names of the graph's inputs and outputs.
 * @returns The bytes of the file: opset 21, as onnxruntime 1.20 and later read it.
 * @throws TensorError If the model uses operators that ONNX does not have, reads values or draws random numbers; it
 * says which.
 *
 * ```ts
 * const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 2));
 * const file = exportOnnx(model, [randn([1, 4])], { inputNames: ['x'], outputNames: ['y'] });
 * file instanceof Uint8Array; // true
 * ```
 */
export function exportOnnx(model: Module, inputs: readonly unknown[], options: ExportOptions = {}): Uint8Array {
  if (!(model instanceof Module))
    throw new TypeError(`exportOnnx: takes a Module, and its inputs as an array, got ${show(model)}`);
  if (!Array.isArray(inputs)) throw new TypeError('exportOnnx: takes the inputs as an array, such as [x]');
  const { inputNames = [], outputNames = [] } = checkOptions('exportOnnx', options, optionKinds);
  for (const [list, what] of [
    [inputNames, 'inputNames'],
    [outputNames, 'outputNames'],
  ] as const)
    if (new Set(list).size < list.length)
      throw new TypeError(`exportOnnx: ${what} has a name twice: ${list.join(', ')}`);
  return encodeModel(graphOf(model, inputs, inputNames, outputNames));
}

function graphOf(
  model: Module,
  inputs: readonly unknown[],
  inputNames: readonly string[],
  outputNames: readonly string[],
): Graph {
  const trace = new Trace();
  return tracing(trace, () => {
    const before = setDefaultDevice('onnx');
    try {
      return evaluating.run(() => {
        const given: Value[] = [];
        const args = inputs.map((input) => {
          if (!(input instanceof Tensor)) return input;
          const name = trace.fresh(inputNames[given.length] ?? (given.length ? `input_${given.length}` : 'input'));
          const value: Value = { name, dtype: input.dtype, shape: input.shape };
          given.push(value);
          const there = input.detach().contiguous().to('onnx');
          trace.write(there as unknown as View, value);
          return there;
        });
        if (inputNames.length > given.length)
          throw new TypeError(
            `exportOnnx: got ${inputNames.length} inputNames for ${given.length} tensors among the inputs`,
          );
        const call = functionalCall as (module: Module, tensors: Record<string, Tensor>, ...args: unknown[]) => unknown;
        const results = named(
          withoutRandom(() => call(model, movedState(model), ...args)),
          outputNames,
        );
        const outputs = results.map(([name, tensor]) => outputOf(trace, name, tensor));
        return { name: model.constructor.name, ...pruned(trace, outputs), inputs: given, outputs };
      });
    } finally {
      setDefaultDevice(before);
    }
  });
}

/** Throws if `fn` draws random numbers: they would be constants of the graph, the same in each run. */
function withoutRandom<T>(fn: () => T): T {
  const state = currentGenerator().getState();
  const watched = new Generator(0).setState(state);
  const result = forkRng(watched).run(fn);
  if (watched.getState().join() !== state.join()) throw new TensorError('exportOnnx', drawsRandom);
  return result;
}

/** Copies parameters and buffers to the tracing device, with their names. */
function movedState(model: Module): Record<string, Tensor> {
  const moved: Record<string, Tensor> = {};
  for (const [name, tensor] of [...model.namedParameters(), ...model.namedBuffers()]) {
    moved[name] = tensor.detach().contiguous().to('onnx');
    label(moved[name] as unknown as View, name);
  }
  return moved;
}

/** The tensors in a model's result with their names: the keys of records, or numbers. */
function named(result: unknown, names: readonly string[]): [string, Tensor][] {
  const tensors = tensorsIn(result, '');
  if (names.length > tensors.length)
    throw new TypeError(
      `exportOnnx: got ${names.length} outputNames for ${tensors.length} tensors in the model's result`,
    );
  return tensors.map(([key, tensor], i) => [names[i] ?? (key || (i ? `output_${i}` : 'output')), tensor]);
}

function tensorsIn(result: unknown, key: string): [string, Tensor][] {
  if (result instanceof Tensor) return [[key, result]];
  if (Array.isArray(result)) return result.flatMap((each) => tensorsIn(each, key));
  if (typeof result === 'object' && result !== null)
    return Object.entries(result).flatMap(([name, each]) => tensorsIn(each, key ? `${key}.${name}` : name));
  throw new TypeError(`exportOnnx: the model must return tensors, or arrays or records of them, got ${show(result)}`);
}

function outputOf(trace: Trace, wish: string, tensor: Tensor): Value {
  if (tensor.device !== 'onnx')
    throw new TensorError(
      'exportOnnx',
      `the output '${wish}' was computed on ${tensor.device}, independently of the inputs`,
    );
  const name = trace.fresh(wish);
  const { dtype, shape } = tensor;
  const from = trace.read(tensor as unknown as View).name;
  trace.nodes.push({ op: 'Identity', inputs: [from], outputs: [name], attributes: {} });
  return { name, dtype, shape };
}

/** The nodes and constants that the outputs depend on. */
function pruned(trace: Trace, outputs: readonly Value[]): { nodes: Node[]; initializers: Initializer[] } {
  const wanted = new Set(outputs.map(({ name }) => name));
  const nodes = trace.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => wanted.has(name))) return false;
    for (const name of node.inputs) wanted.add(name);
    return true;
  });
  return { nodes: nodes.reverse(), initializers: trace.initializers.filter(({ name }) => wanted.has(name)) };
}
