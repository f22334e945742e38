import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manualSeed, type Tensor, tensor } from '@gradgate/core';
import * as nn from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../golden/states/', import.meta.url));
const script = fileURLToPath(new URL('../../golden/make_states.py', import.meta.url));
/** Made by test/golden/make_states.py, beside the weights. */
const cases = JSON.parse(readFileSync(`${folder}states.json`, 'utf8'));

/** The model of that name in the script. */
class Small extends nn.Module {
  tokEmb = new nn.Embedding(11, 8);
  encoder = new nn.TransformerEncoder(
    new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, dropout: 0, batchFirst: true }),
    2,
    { norm: new nn.LayerNorm(8) },
  );
  conv = new nn.Conv1d(8, 6, 3, { padding: 1 });
  batchNorm = new nn.BatchNorm1d(6);
  act = new nn.PReLU();
  rnn = new nn.GRU(6, 4, { bidirectional: true, batchFirst: true });
  blocks = [new nn.Linear(8, 8), new nn.Sequential(new nn.Linear(8, 8), new nn.Tanh())] as const;
  lmHead = new nn.Linear(8, 11, { bias: false });

  constructor() {
    super();
    this.lmHead.weight = this.tokEmb.weight;
  }

  override forward(index: Tensor): Tensor {
    let x: Tensor = this.encoder(this.tokEmb(index));
    x = this.act(this.batchNorm(this.conv(x.transpose(1, 2)))).transpose(1, 2);
    x = this.rnn(x)[0];
    return this.lmHead(this.blocks[1](this.blocks[0](x)));
  }
}

const models: Record<string, () => nn.Module> = {
  batchNorm: () => new nn.BatchNorm2d(3),
  lstm: () => new nn.LSTM(3, 4, { numLayers: 2, bidirectional: true }),
  rnnCell: () => new nn.LSTMCell(3, 4),
  attention: () => new nn.MultiheadAttention(8, 2),
  encoder: () =>
    new nn.TransformerEncoder(new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, dropout: 0 }), 2, {
      norm: new nn.LayerNorm(8),
    }),
  transformer: () =>
    new nn.Transformer({
      ...{ dModel: 8, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 16, dropout: 0 },
    }),
  prelu: () => new nn.PReLU(3),
  embeddingBag: () => new nn.EmbeddingBag(5, 3),
  instanceNorm: () => new nn.InstanceNorm1d(3, { affine: true }),
  weightNorm: () => nn.weightNorm(new nn.Linear(3, 2)),
  spectralNorm: () => nn.spectralNorm(new nn.Linear(3, 2)),
  decoder: () =>
    new nn.TransformerDecoder(
      new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 16, dropout: 0, normFirst: true }),
      1,
    ),
  spectralTransposed: () => nn.spectralNorm(new nn.ConvTranspose2d(2, 3, 2)),
  small: () => new Small(),
};

const inputsOf = (name: string): Tensor[] =>
  cases[name].inputs.map((i: number[]) =>
    tensor(i, { dtype: ['embeddingBag', 'small'].includes(name) ? 'int32' : 'float32' }),
  );
const flat = (out: unknown): Tensor[] => (Array.isArray(out) ? out.flatMap(flat) : [out as Tensor]);
const load = (name: string) => nn.load(`${folder}${name}.safetensors`);

const afterTraining = (model: nn.Module, optimizer: nn.optim.Optimizer<any, any>, steps: number) => {
  const x = tensor([0, 1, 2, 3, 4, 5], { shape: [2, 3] }).div(5);
  for (let i = 0; i < steps; i++) {
    optimizer.zeroGrad();
    model(x).square().sum().backward();
    optimizer.step();
  }
};
const linear = () => {
  const model = new nn.Linear(3, 2);
  model.loadStateDict(
    Object.fromEntries(Object.entries(cases.adamw.weights).map(([k, v]) => [k, tensor(v as number[])])),
  );
  return { model, optimizer: new nn.optim.AdamW(model.parameters(), { lr: 0.02, amsgrad: true }) };
};
/** JSON has lists for tensors. */
const revived = (state: any) => ({
  ...state,
  state: Object.fromEntries(
    Object.entries(state.state).map(([i, own]) => [
      i,
      Object.fromEntries(Object.entries(own as object).map(([k, v]) => [k, tensor(v)])),
    ]),
  ),
});

describe('weights saved by PyTorch load with all their names, and give its outputs', () => {
  it.each(Object.keys(models))('%s', async (name) => {
    const model = models[name]!();
    expect(model.loadStateDict(await load(name))).toEqual({ missingKeys: [], unexpectedKeys: [] });
    const outputs = flat(model.eval()(...inputsOf(name)));
    (cases[name].outputs as number[][]).forEach((want, i) => {
      const least = Math.max(1, tensor(want).abs().max().item());
      expect(outputs[i]!.sub(tensor(want)).abs().max().item() / least, `output ${i}`).toBeLessThan(2e-6);
    });
    // And what we write has the same names and shapes.
    const shapes = (state: nn.StateDict) => Object.fromEntries(Object.entries(state).map(([k, t]) => [k, t.shape]));
    expect(shapes(model.stateDict())).toEqual(shapes(await load(name)));
  });

  it('names of the newer parametrizations load too', async () => {
    const { weight_g, weight_v, bias } = await load('weightNorm');
    const model = nn.weightNorm(new nn.Linear(3, 2));
    model.loadStateDict({
      bias: bias!,
      'parametrizations.weight.original0': weight_g!,
      'parametrizations.weight.original1': weight_v!,
    });
    expect(
      model(...(inputsOf('weightNorm') as [Tensor]))
        .sub(tensor(cases.weightNorm.outputs[0]))
        .abs()
        .max()
        .item(),
    ).toBeLessThan(2e-6);
  });

  it('parameters have the order of PyTorch, by which its optimizers number them', () => {
    const names = [...new nn.TransformerDecoderLayer(8, 2).namedParameters()].map(([name]) => name.split('.')[0]);
    expect([...new Set(names)]).toEqual([
      ...['selfAttn', 'multiheadAttn', 'linear1', 'linear2', 'norm1', 'norm2', 'norm3'],
    ]);
  });

  it.each([false, true])('a state of an optimizer, too, and it goes on as there (beside a OneCycleLR: %s)', (cycle) => {
    const { model, optimizer } = linear();
    const state = revived(cases.adamw.state);
    // What PyTorch's schedulers note in groups.
    const bounds = { initial_lr: 0.02, max_lr: 0.1, min_lr: 1e-6, max_momentum: 0.95, base_momentum: 0.85 };
    if (cycle) state.param_groups = state.param_groups.map((group: object) => ({ ...group, ...bounds }));
    optimizer.loadStateDict(state);
    afterTraining(model, optimizer, 2);
    for (const [k, v] of Object.entries(cases.adamw.after))
      expect(
        model
          .stateDict()
          [k]!.sub(tensor(v as number[]))
          .abs()
          .max()
          .item(),
      ).toBeLessThan(1e-6);
  });
});

const python = '/usr/bin/python3';
const hasTorch = spawnSync(python, ['-c', 'import torch']).status === 0;

it.skipIf(!hasTorch)(
  'what we write is read by PyTorch, strictly, and gives the same there (needs python3-torch)',
  async () => {
    manualSeed(1);
    const out = mkdtempSync(join(tmpdir(), 'gradgate-states-'));
    mkdirSync(out, { recursive: true });
    for (const [name, make] of Object.entries(models)) {
      const model = make();
      model.loadStateDict(await load(name));
      await nn.save(join(out, `${name}.safetensors`), model.stateDict());
    }
    const { optimizer } = linear();
    optimizer.loadStateDict(revived(cases.adamw.state));
    const state = optimizer.stateDict();
    const lists = Object.entries(state.state).map(([i, own]) => [
      i,
      Object.fromEntries(Object.entries(own).map(([k, v]) => [k, typeof v === 'number' ? v : (v as Tensor).toArray()])),
    ]);
    writeFileSync(join(out, 'adamw.json'), JSON.stringify({ ...state, state: Object.fromEntries(lists) }));
    const { status, stdout, stderr } = spawnSync(python, [script, 'check', out], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('adamw goes on the same');
  },
  60_000,
);
