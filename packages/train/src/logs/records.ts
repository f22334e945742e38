import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import crc32c from 'crc-32/crc32c.js';

// Messages for TensorBoard. The field numbers are those of its .proto files: event, summary, tensor, graph,
// plugin_data.

type Fields = (w: BinaryWriter) => void;

/** A message within another. */
const message = (w: BinaryWriter, field: number, fields: Fields): BinaryWriter => {
  w.tag(field, WireType.LengthDelimited).fork();
  fields(w);
  return w.join();
};
const text = (w: BinaryWriter, field: number, value: string) => w.tag(field, WireType.LengthDelimited).string(value);
const bytes = (w: BinaryWriter, field: number, value: Uint8Array) =>
  w.tag(field, WireType.LengthDelimited).bytes(value);
const int = (w: BinaryWriter, field: number, value: number) => w.tag(field, WireType.Varint).int64(value);
const double = (w: BinaryWriter, field: number, value: number) => w.tag(field, WireType.Bit64).double(value);
const doubles = (w: BinaryWriter, field: number, values: readonly number[]) =>
  message(w, field, () => {
    for (const value of values) w.double(value);
  });

/** Encodes an event with these fields; `time` is in seconds. */
export function event(time: number, step: number, fields: Fields): Uint8Array {
  const w = new BinaryWriter();
  double(w, 1, time);
  int(w, 2, step);
  fields(w);
  return w.finish();
}

/** The first event of a file. */
export const version: Fields = (w) => text(w, 3, 'brain.Event:2');

/** A value of a summary; several make one event. */
const value = (w: BinaryWriter, tag: string, fields: Fields) =>
  message(w, 1, () => {
    text(w, 1, tag);
    fields(w);
  });
/** Says which plugin shows a value. */
const pluginOf = (w: BinaryWriter, plugin: string, content?: Fields) =>
  message(w, 9, () => {
    message(w, 1, () => {
      text(w, 1, plugin);
      if (content) message(w, 2, content);
    });
  });
const summary =
  (fields: Fields): Fields =>
  (w) =>
    message(w, 5, fields);

export const scalars = (figures: Readonly<Record<string, number>>): Fields =>
  summary((w) => {
    for (const [tag, number] of Object.entries(figures)) value(w, tag, () => w.tag(2, WireType.Bit32).float(number));
  });

export interface Histogram {
  min: number;
  max: number;
  count: number;
  sum: number;
  sumOfSquares: number;
  /** The right edge of each bucket. */
  limits: number[];
  counts: number[];
}

export const histogram = (tag: string, h: Histogram): Fields =>
  summary((w) =>
    value(w, tag, () =>
      message(w, 5, () => {
        for (const [i, number] of [h.min, h.max, h.count, h.sum, h.sumOfSquares].entries()) double(w, i + 1, number);
        doubles(w, 6, h.limits);
        doubles(w, 7, h.counts);
      }),
    ),
  );

export const image = (tag: string, height: number, width: number, channels: number, png: Uint8Array): Fields =>
  summary((w) =>
    value(w, tag, () =>
      message(w, 4, () => {
        for (const [i, number] of [height, width, channels].entries()) int(w, i + 1, number);
        bytes(w, 4, png);
      }),
    ),
  );

const stringType = 7;

export const textSummary = (tag: string, markdown: string): Fields =>
  summary((w) =>
    value(w, `${tag}/text_summary`, () => {
      pluginOf(w, 'text');
      message(w, 8, () => {
        int(w, 1, stringType);
        // The shape, [1].
        message(w, 2, () => message(w, 2, () => int(w, 1, 1)));
        text(w, 8, markdown);
      });
    }),
  );

type Hparam = number | string | boolean;

const dataTypes = { string: 1, boolean: 2, number: 3 } as const;
type Named = [name: string, value: Hparam];

/** Hyperparameters and the names of the metrics to compare runs by, as three summaries. */
export function hparams(
  given: Readonly<Record<string, Hparam>>,
  metricNames: readonly string[],
  time: number,
): Fields[] {
  const plugin = (tag: string, field: number, fields: Fields) =>
    summary((w) => value(w, tag, () => pluginOf(w, 'hparams', () => message(w, field, fields))));
  const named = Object.entries(given) as Named[];
  const experiment: Fields = (w) => {
    for (const [name, own] of named)
      message(w, 4, () => {
        text(w, 1, name);
        int(w, 4, dataTypes[typeof own as keyof typeof dataTypes]);
      });
    for (const tag of metricNames) message(w, 5, () => message(w, 1, () => text(w, 2, tag)));
  };
  const start: Fields = (w) => {
    for (const [name, own] of named)
      message(w, 1, () => {
        text(w, 1, name);
        message(w, 2, () => {
          if (typeof own === 'number') double(w, 2, own);
          else if (typeof own === 'string') text(w, 3, own);
          else w.tag(4, WireType.Varint).bool(own);
        });
      });
    double(w, 5, time);
  };
  const success: Fields = (w) => int(w, 1, 1);
  return [
    plugin('_hparams_/experiment', 2, experiment),
    plugin('_hparams_/session_start_info', 3, start),
    plugin('_hparams_/session_end_info', 4, success),
  ];
}

export interface GraphNode {
  name: string;
  op: string;
  inputs: string[];
  shape: readonly number[];
}

export const graph =
  (nodes: readonly GraphNode[]): Fields =>
  (w) => {
    const definition = new BinaryWriter();
    for (const node of nodes)
      message(definition, 1, () => {
        text(definition, 1, node.name);
        text(definition, 2, node.op);
        for (const input of node.inputs) text(definition, 3, input);
        // The attribute by which TensorBoard shows sizes on edges: a list of one shape.
        message(definition, 5, () => {
          text(definition, 1, '_output_shapes');
          message(definition, 2, () =>
            message(definition, 1, () =>
              message(definition, 7, () => {
                for (const size of node.shape) message(definition, 2, () => int(definition, 1, size));
              }),
            ),
          );
        });
      });
    message(definition, 4, () => int(definition, 1, 22));
    bytes(w, 4, definition.finish());
  };

const masked = (data: Uint8Array): number => {
  const crc = crc32c.buf(data) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};

/** Frames an event as a record of a file: its length and its bytes, each with a checksum (masked CRC-32C). */
export function record(data: Uint8Array): Uint8Array {
  const framed = new Uint8Array(data.length + 16);
  const view = new DataView(framed.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(framed.subarray(0, 8)), true);
  framed.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return framed;
}
