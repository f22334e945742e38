/**
 * Gradient checkpointing of a deep model: the insides of blocks are not kept but computed again in backward, so that a
 * graph of a hundred layers holds the memory of a few. The gradients are the same.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { manualSeed, randn, type Tensor } from '@gradgate/core';
import { checkpoint } from '@gradgate/core/checkpoint';
import { Linear, Module, ModuleList } from '@gradgate/nn';

class Deep extends Module {
  readonly layers = new ModuleList(Array.from({ length: 96 }, () => new Linear(64, 64)));

  constructor(readonly every: number) {
    super();
  }

  override forward(x: Tensor): Tensor {
    const layers = [...this.layers];
    const part = (from: number, to: number) => (t: Tensor) =>
      layers.slice(from, to).reduce((y, layer) => layer(y).tanh().add(y), t);
    if (this.every === 0) return part(0, layers.length)(x);
    let y = x;
    for (let i = 0; i < layers.length; i += this.every) y = checkpoint(part(i, i + this.every), y);
    return y;
  }
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Megabytes of arrays in use once everything that nobody holds is gone. */
function megabytes(): number {
  // Arrays are swept beside the program; the next collection waits for that.
  for (let i = 0; i < 3; i++) collect();
  return process.memoryUsage().arrayBuffers / 2 ** 20;
}

manualSeed(6);
const x = randn([512, 64]);
const plain = new Deep(0);
const sparing = new Deep(12);
sparing.loadStateDict(plain.stateDict());
const [without, withThem] = [plain, sparing].map((net) => {
  const before = megabytes();
  const loss = net(x).square().mean();
  const held = megabytes() - before;
  loss.backward();
  return held;
}) as [number, number];
const others = new Map(sparing.namedParameters());
const worst = Math.max(
  ...[...plain.namedParameters()].map(([name, p]) => p.grad!.sub(others.get(name)!.grad!).abs().max().item()),
);
console.log(`kept for backward: ${without.toFixed(1)} MB without checkpoints, ${withThem.toFixed(1)} MB with`);
console.log(`gradients differ by at most ${worst}`);
