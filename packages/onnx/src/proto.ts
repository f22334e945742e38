import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { DType } from '@gradgate/core';

// The messages of ONNX, with the field numbers of onnx.proto.

/** The opset of ONNX 1.16, which onnxruntime reads from 1.20 on. */
const opset = 21;
const irVersion = 10;

const typeOf: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
  complex64: 14,
  complex128: 15,
};

/** The number of a dtype, for `Cast`. */
export const elementType = (dtype: DType): number => typeOf[dtype];

export type Attribute = number | { readonly float: number } | string | readonly number[];

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A value of the graph. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A constant of the graph, with its elements in little-endian order. */
export interface Initializer extends Value {
  readonly bytes: Uint8Array;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

type Fields = () => void;

/** Encodes a model as a file. */
export function encodeModel(graph: Graph): Uint8Array {
  const w = new BinaryWriter();
  const message = (field: number, fields: Fields) => {
    w.tag(field, WireType.LengthDelimited).fork();
    fields();
    w.join();
  };
  const text = (field: number, value: string) => w.tag(field, WireType.LengthDelimited).string(value);
  const int = (field: number, value: number) => w.tag(field, WireType.Varint).int64(value);

  const attribute = (name: string, value: Attribute) => {
    text(1, name);
    if (typeof value === 'number') int(3, value);
    else if (typeof value === 'string') text(4, value);
    else if ('float' in value) w.tag(2, WireType.Bit32).float(value.float);
    else for (const each of value) int(8, each);
    int(20, typeof value === 'number' ? 2 : typeof value === 'string' ? 3 : 'float' in value ? 1 : 7);
  };
  const node = ({ op, inputs, outputs, attributes }: Node) => {
    for (const name of inputs) text(1, name);
    for (const name of outputs) text(2, name);
    text(3, outputs[0]!);
    text(4, op);
    for (const [name, value] of Object.entries(attributes)) message(5, () => attribute(name, value));
  };
  const initializer = ({ name, dtype, shape, bytes }: Initializer) => {
    for (const size of shape) int(1, size);
    int(2, elementType(dtype));
    text(8, name);
    w.tag(9, WireType.LengthDelimited).bytes(bytes);
  };
  const value = ({ name, dtype, shape }: Value) => {
    text(1, name);
    message(2, () =>
      message(1, () => {
        int(1, elementType(dtype));
        message(2, () => {
          for (const size of shape) message(1, () => int(1, size));
        });
      }),
    );
  };

  int(1, irVersion);
  text(2, 'gradgate');
  message(7, () => {
    for (const each of graph.nodes) message(1, () => node(each));
    text(2, graph.name);
    for (const each of graph.initializers) message(5, () => initializer(each));
    for (const each of graph.inputs) message(11, () => value(each));
    for (const each of graph.outputs) message(12, () => value(each));
  });
  message(8, () => int(2, opset));
  return w.finish();
}
