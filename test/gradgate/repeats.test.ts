import { randn, type Tensor } from '@gradgate/core';
import {
  Embedding,
  Linear,
  LSTMCell,
  Module,
  ModuleList,
  ReLU,
  Sequential,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '@gradgate/nn';
import { graphDot, recordModules } from 'gradgate';
import { expect, it } from 'vitest';

/** The first lines of frames and boxes, and the arrows between boxes by them. */
function drawn(make: () => Tensor | Tensor[], module: Module, options: { depth?: number; fold?: boolean } = {}) {
  const recorded = recordModules(module);
  const dot = graphDot(make(), { modules: recorded.stop(), ...options });
  const boxes = new Map(
    [...dot.matchAll(/(n\d+) \[label="((?:[^"\\]|\\.)*?)(?:\\n|")/g)].map(([, id, text]) => [id!, text!]),
  );
  const frames = [...dot.matchAll(/\blabel="([^"]*)"; labeljust/g)].map(([, text]) => text!);
  const arrows = [...dot.matchAll(/(n\d+) -> (n\d+)/g)].map(([, a, b]) => `${boxes.get(a!)} > ${boxes.get(b!)}`);
  return { dot, frames, boxes: [...boxes.values()], arrows };
}

class Block extends Module {
  fc: Linear;
  constructor(width = 4, inputs = width) {
    super();
    this.fc = new Linear(inputs, width);
  }
  override forward(x: Tensor): Tensor {
    return this.fc(x).relu();
  }
}

const x = randn([3, 4]);

it('draws the first of a chain of equal modules, with how many they are; what follows has its arrow from it', () => {
  const net = new Sequential(...Array.from({ length: 12 }, () => new Block()), new Block(2, 4));
  const { boxes, arrows, dot } = drawn(() => net(x), net, { depth: 1 });
  expect(boxes).toEqual(['result', '12 · Block', '0 … 11 · Block × 12']);
  expect(arrows).toEqual(['12 · Block > result', '0 … 11 · Block × 12 > 12 · Block']);
  expect(dot).toContain('20 parameters each');
});

it('opens the first as any other module, and all of them with fold: false', () => {
  const net = new Sequential(new Block(), new Block(), new Block());
  const { frames, boxes, arrows } = drawn(() => net(x), net, { depth: 2 });
  expect(frames).toEqual(['Sequential', '0 … 2 · Block × 3']);
  expect(boxes).toEqual(['result', 'relu', 'fc · Linear']);
  expect(arrows).toEqual(['relu > result', 'fc · Linear > relu']);
  expect(drawn(() => net(x), net, { depth: 2, fold: false }).frames).toEqual([
    'Sequential',
    '2 · Block',
    '1 · Block',
    '0 · Block',
  ]);
});

it('keeps modules apart whose shapes, operations or class differ', () => {
  class Other extends Block {}
  class Tanh extends Block {
    override forward(x: Tensor): Tensor {
      return this.fc(x).tanh();
    }
  }
  const net = new Sequential(new Block(), new Other(), new Block(5, 4), new Block(4, 5), new Tanh());
  expect(drawn(() => net(x), net, { depth: 1 }).boxes).toHaveLength(6);
});

it('keeps modules apart whose results are used on their own', () => {
  class Skips extends Module {
    blocks = [new Block(), new Block(), new Block()];
    override forward(x: Tensor): Tensor {
      const [a, b, c] = this.blocks as [Block, Block, Block];
      const first = a(x);
      return c(b(first)).add(first);
    }
  }
  const net = new Skips();
  expect(drawn(() => net(x), net, { depth: 1 }).boxes).toContain('blocks.0 · Block');
  // As results themselves too.
  const two = new ModuleList([new Block(), new Block()]);
  const both = () => {
    const first = two[0]!(x);
    return [first, two[1]!(first)];
  };
  expect(drawn(both, two).frames).not.toContain('0, 1 · Block × 2');
});

it('keeps modules apart that run beside each other', () => {
  class Heads extends Module {
    heads = [new Block(), new Block()];
    override forward(x: Tensor): Tensor {
      return this.heads[0]!(x).add(this.heads[1]!(x));
    }
  }
  const net = new Heads();
  expect(drawn(() => net(x), net, { depth: 1 }).boxes).toEqual(['result', 'add', 'heads.0 · Block', 'heads.1 · Block']);
});

it('folds the steps of a cell, whose parameters are the same', () => {
  class Net extends Module {
    cell = new LSTMCell(4, 4);
    override forward(x: Tensor): Tensor {
      let state: [Tensor, Tensor] = [randn([3, 4], { requiresGrad: true }), randn([3, 4], { requiresGrad: true })];
      for (let step = 0; step < 10; step++) state = this.cell(x, state);
      return state[0];
    }
  }
  const net = new Net();
  const { boxes, dot } = drawn(() => net(x), net, { depth: 1 });
  expect(boxes.filter((text) => text.startsWith('cell · '))).toEqual(['cell · LSTMCell × 10']);
  expect(dot).not.toContain('each');
});

it('folds within what it has folded', () => {
  const row = () => new Sequential(...Array.from({ length: 3 }, () => new Block()));
  const net = new Sequential(row(), row(), row(), row());
  expect(drawn(() => net(x), net, { depth: 2 }).frames).toEqual(['Sequential', '0 … 3 · Sequential × 4']);
  expect(drawn(() => net(x), net, { depth: 2 }).boxes).toEqual(['result', '0 … 2 · Block × 3']);
});

it('draws a transformer of 12 layers with one of them open', () => {
  class Model extends Module {
    embed = new Embedding(10, 8);
    encoder = new TransformerEncoder(new TransformerEncoderLayer(8, 2, { dimFeedforward: 16 }), 12);
    head = new Sequential(new Linear(8, 2), new ReLU());
    override forward(tokens: Tensor): Tensor {
      return this.head(this.encoder(this.embed(tokens))) as Tensor;
    }
  }
  const net = new Model();
  const { frames, boxes } = drawn(() => net(randn([5, 2]).abs().floor().to('int64').clamp(0, 9)), net);
  expect(frames).toContain('layers.0 … layers.11 · TransformerEncoderLayer × 12');
  expect(boxes.length).toBeLessThan(60);
});
