import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { full, randn, tensor } from '@gradgate/core';
import { Linear, optim } from '@gradgate/nn';
import { fit, JsonLines, type Logger, Logging, SummaryWriter } from '@gradgate/train';
import { decode } from 'fast-png';
import { afterAll, describe, expect, it } from 'vitest';
import { need } from '../needs.js';

const folder = mkdtempSync(join(tmpdir(), 'gradgate-logs-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The events of a file; the check sums are TensorBoard's to look at. */
function recordsOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    found.push(bytes.subarray(at + 12, at + 12 + length));
    at += length + 16;
  }
  return found;
}

/** The fields of a message by their numbers, as they stand. */
function fieldsOf(bytes: Uint8Array): Record<number, (number | Uint8Array)[]> {
  const reader = new BinaryReader(bytes);
  const fields: Record<number, (number | Uint8Array)[]> = {};
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    fields[field] ??= [];
    if (type === WireType.LengthDelimited) fields[field].push(reader.bytes());
    else if (type === WireType.Bit64) fields[field].push(reader.double());
    else if (type === WireType.Bit32) fields[field].push(reader.float());
    else fields[field].push(Number(reader.int64()));
  }
  return fields;
}
const inside = (fields: ReturnType<typeof fieldsOf>, ...path: number[]): ReturnType<typeof fieldsOf> =>
  path.reduce((found, field) => fieldsOf(found[field]![0] as Uint8Array), fields);
const textIn = (fields: ReturnType<typeof fieldsOf>, field: number) =>
  new TextDecoder().decode(fields[field]![0] as Uint8Array);

/** Everything that a writer can write. */
async function writeAll(target: ConstructorParameters<typeof SummaryWriter>[0]): Promise<void> {
  const writer = new SummaryWriter(target);
  await writer.addScalar('loss', 0.25, 3);
  await writer.addFigures({ a: 1, b: Number.NaN }, 4);
  await writer.addHistogram('weights', tensor([0, 1, 1, 4, Number.NaN]), 5, { bins: 4 });
  await writer.addImage('picture', full([3, 2, 5], 0.5), 6);
  await writer.addText('note', '**bold** é', 7);
  await writer.addHparams({ lr: 0.1, name: 'first', nesterov: true }, { accuracy: 0.9 }, 8);
  const layer = new Linear(2, 3);
  await writer.addGraph(
    layer(randn([4, 2]))
      .relu()
      .sum(),
    layer.namedParameters(),
  );
  await writer.close();
}

const python = ['/usr/bin/python3', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'from tensorboard.plugins.hparams import plugin_data_pb2']).status === 0,
);
const withTensorboard = need(python, 'event files read by TensorBoard', 'no Python with the package tensorboard');

describe('SummaryWriter', () => {
  it.skipIf(!withTensorboard)("writes what TensorBoard's own parser reads", async () => {
    const runs = join(folder, 'runs');
    await writeAll(runs);
    const [name] = readdirSync(runs);
    expect(name).toContain('tfevents');
    const script = fileURLToPath(new URL('read_events.py', import.meta.url));
    const { stdout, stderr, status } = spawnSync(python!, [script, join(runs, name!)], { encoding: 'utf8' });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    const found = JSON.parse(stdout.replaceAll('NaN', '"NaN"'));
    const scalar = (tag: string, step: number, value: unknown) => ({ tag, step, plugin: 'scalars', value });
    expect(found).toEqual([
      { version: 'brain.Event:2' },
      scalar('loss', 3, 0.25),
      scalar('a', 4, 1),
      scalar('b', 4, 'NaN'),
      expect.objectContaining({ tag: 'weights', step: 5, plugin: 'histograms' }),
      { tag: 'picture', step: 6, plugin: 'images', size: [5, 2], png: '89504e47' },
      { tag: 'note/text_summary', step: 7, plugin: 'text', text: ['**bold** é'] },
      {
        ...{ tag: '_hparams_/experiment', step: 0, plugin: 'hparams' },
        experiment: [['lr', 3], ['name', 1], ['nesterov', 2], 'accuracy'],
      },
      {
        ...{ tag: '_hparams_/session_start_info', step: 0, plugin: 'hparams' },
        start: { lr: 0.1, name: 'first', nesterov: true },
      },
      { tag: '_hparams_/session_end_info', step: 0, plugin: 'hparams', end: 1 },
      expect.objectContaining({ tag: 'accuracy', step: 8, plugin: 'scalars' }),
      {
        graph: expect.arrayContaining([
          ['weight', 'Parameter', [], [3, 2]],
          ['bias', 'Parameter', [], [3]],
        ]),
      },
    ]);
    // TensorBoard makes [left, right, count] of each bucket, the empty one at the left too.
    const buckets = found[4].value.filter((b: number[]) => b[2]! > 0);
    expect(buckets).toEqual([
      [0, 1, 1],
      [1, 2, 2],
      [3, 4, 1],
    ]);
  });

  it('writes events by the numbers of their fields, also where there are no files', async () => {
    const bytes: number[] = [];
    await writeAll((chunk) => void bytes.push(...chunk));
    const events = recordsOf(Uint8Array.from(bytes)).map(fieldsOf);
    expect(events).toHaveLength(11);
    expect(textIn(events[0]!, 3)).toBe('brain.Event:2');
    const loss = inside(events[1]!, 5, 1);
    expect([events[1]![2], textIn(loss, 1), loss[2]]).toEqual([[3], 'loss', [0.25]]);
    expect((events[1]![1]![0] as number) * 1000).toBeCloseTo(Date.now(), -5);
    expect(fieldsOf(events[2]![5]![0] as Uint8Array)[1]).toHaveLength(2);
    const picture = inside(events[4]!, 5, 1, 4);
    expect([picture[1], picture[2], picture[3]]).toEqual([[2], [5], [3]]);
    const png = decode(picture[4]![0] as Uint8Array);
    expect([png.width, png.height, png.channels, png.data[0]]).toEqual([5, 2, 3, 128]);
    expect(textIn(inside(events[5]!, 5, 1, 8), 8)).toBe('**bold** é');
  });

  it('refuses what cannot be shown, and writes nothing of it', async () => {
    let writes = 0;
    const writer = new SummaryWriter(() => writes++);
    expect(() => writer.addScalar('loss', '1' as never, 1)).toThrow(/loss must be a number, got '1'/);
    for (const tag of [undefined, Object.create(null), Symbol('loss')])
      expect(() => writer.addScalar(tag as never, 1, 1)).toThrow(/addScalar: the tag must be a string, got /);
    expect(() => writer.addScalar('loss', 1, -1)).toThrow(/the step must be a whole number from 0 up, got -1/);
    expect(() => writer.addImage('x', randn([2, 3]), 1)).toThrow(/\[channels, height, width\].*shape \[2, 3\]/);
    expect(() => writer.addImage(3 as never, randn([3, 2, 2]), 1)).toThrow(/addImage: the tag must be a string, got 3/);
    await expect(writer.addHparams({ lr: 1 }, { loss: '1' as never })).rejects.toThrow(
      /addHparams: loss must be a number/,
    );
    await expect(writer.addHparams({ lr: 1 }, { loss: 1 }, -1)).rejects.toThrow(/addHparams: the step must be a whole/);
    expect(() => writer.addGraph(randn([2]))).toThrow(/a tensor whose computation was recorded/);
    await writer.close();
    expect(writes).toBe(1);
  });

  it('an error of the disk reaches who waits for it', async () => {
    const writer = new SummaryWriter(() => {
      throw new Error('full');
    });
    await expect(writer.addScalar('loss', 1, 1)).rejects.toThrow('full');
  });
});

describe('Logging', () => {
  const run = async (logger: Logger, options = {}) => {
    const model = new Linear(1, 1);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0 });
    const trainingStep = () => ({ loss: model(tensor([[1]])).mean(), two: 2 });
    const callbacks = [new Logging(logger, options)];
    await fit(model, { train: [0, 0, 0], optimizer, epochs: 2, trainingStep, callbacks });
  };

  it('tells figures of batches and of epochs, and closes what it tells', async () => {
    const told: string[] = [];
    await run(
      {
        addFigures: (figures, step) => told.push(`${step}: ${Object.keys(figures)}`),
        addHistogram: (tag, values, step) => told.push(`${step}: ${tag} of ${values.numel}`),
        close: () => told.push('closed'),
      },
      { everySteps: 2, histograms: true },
    );
    const epoch = (step: number) => [`${step}: epoch/loss,epoch/two`, `${step}: weight of 1`, `${step}: bias of 1`];
    const batch = (step: number) => `${step}: step/loss,step/two`;
    expect(told).toEqual([batch(2), ...epoch(3), batch(4), batch(6), ...epoch(6), 'closed']);
  });

  it('as lines of JSON, behind those that are there', async () => {
    const file = join(folder, 'deep', 'run.jsonl');
    await run(new JsonLines(file));
    await new JsonLines(file).addFigures({ 'epoch/two': Number.NaN }, 9);
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => [line.step, line['epoch/two']])).toEqual([
      [3, 2],
      [6, 2],
      [9, null],
    ]);
  });

  it('refuses a target that no system can have, before anything is written', () => {
    for (const target of ['', 'a\0b', 5, class {}]) {
      expect(() => new JsonLines(target as string)).toThrow(
        /^JsonLines: the target must be a path, or a function, got/,
      );
      expect(() => new SummaryWriter(target as string)).toThrow(/^SummaryWriter: the target must be a path, or a func/);
    }
  });

  it('refuses what takes no figures', () => {
    expect(() => new Logging({} as never)).toThrow(/the logger must have addFigures\(figures, step\), got an object/);
  });
});
