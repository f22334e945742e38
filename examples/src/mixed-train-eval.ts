/**
 * A server that learns while it serves: online training and `@noGrad` inference interleave on one event loop. Each
 * keeps its own mode after every await, and each checks it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGradEnabled, manualSeed, mseLoss, noGrad, rand, type Tensor } from '@gradgate/core';
import { Linear, Module, optim, ReLU, Sequential } from '@gradgate/nn';

manualSeed(1);

const seen = { training: { on: 0, off: 0 }, inference: { on: 0, off: 0 }, outside: { on: 0, off: 0 } };
/** Notes the mode that code of this kind finds itself in. */
const note = (kind: keyof typeof seen): void => {
  seen[kind][isGradEnabled() ? 'on' : 'off']++;
};

class Server extends Module {
  model = new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 1));
  optimizer = new optim.Adam(this.model.parameters(), { lr: 0.02 });
  served = 0;

  override forward(x: Tensor): Tensor {
    return this.model(x) as Tensor;
  }

  /** One request: waits for its input and for a slot to answer, with gradients off before and after each await. */
  @noGrad async predict(request: Promise<Tensor>): Promise<Tensor> {
    note('inference');
    const x = await request;
    note('inference');
    const y = this.forward(x);
    await sleep(1);
    note('inference');
    if (y.requiresGrad) throw new Error('inference recorded a graph');
    this.served++;
    return y;
  }

  /** Learns from a stream of batches, with gradients on. */
  async learn(batches: AsyncIterable<readonly [Tensor, Tensor]>): Promise<number[]> {
    const losses: number[] = [];
    for await (const [x, y] of batches) {
      note('training');
      this.optimizer.zeroGrad();
      const loss = mseLoss(this.forward(x), y);
      await sleep(1);
      note('training');
      // Requests were served between the forward and the backward pass; the graph is whole all the same.
      loss.backward();
      this.optimizer.step();
      losses.push(loss.item());
    }
    return losses;
  }
}

/** Points of the plane and the product of their coordinates. */
function sample(n: number): readonly [Tensor, Tensor] {
  const x = rand([n, 2]);
  return [x, x.select(1, 0).mul(x.select(1, 1)).unsqueeze(1)];
}

async function* stream(count: number): AsyncGenerator<readonly [Tensor, Tensor]> {
  for (let i = 0; i < count; i++) {
    await sleep(i % 3);
    yield sample(32);
  }
}

async function clients(server: Server, count: number): Promise<void> {
  const requests: Promise<Tensor>[] = [];
  for (let i = 0; i < count; i++) {
    requests.push(server.predict(sleep(i % 5).then(() => sample(4)[0])));
    note('outside');
    if (i % 4 === 0) await sleep(1);
  }
  await Promise.all(requests);
}

const server = new Server();
const [losses] = await Promise.all([server.learn(stream(150)), clients(server, 400)]);
note('outside');

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
console.log(
  `trained on ${losses.length} batches: loss ${mean(losses.slice(0, 10)).toFixed(4)} -> ${mean(losses.slice(-10)).toFixed(4)}`,
);
console.log(`answered ${server.served} requests meanwhile`);
for (const [kind, { on, off }] of Object.entries(seen)) {
  console.log(
    `  ${kind.padEnd(9)}  gradients on ${String(on).padStart(4)} times, off ${String(off).padStart(4)} times`,
  );
}
const mixed = seen.training.off + seen.outside.off + seen.inference.on;
console.log(mixed === 0 ? 'neither saw the mode of the other' : `${mixed} times a mode leaked`);
process.exitCode = mixed === 0 ? 0 : 1;
