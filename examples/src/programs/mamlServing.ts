// Learns to learn sine curves from ten points (MAML, Finn et al., 2017), and serves meanwhile: node examples/dist/programs/mamlServing.js
import { createServer } from 'node:http';
import { evalMode, grad, manualSeed, mseLoss, rand, type Tensor, tensor } from '@gradgate/core';
import { functionalCall, Linear, Module, optim, Sequential, Tanh } from '@gradgate/nn';
import { fit } from '@gradgate/train';

type Points = readonly [x: Tensor, y: Tensor];
const curve = (): { seen: Points; asked: Points } => {
  const [height, phase] = [0.5 + 2 * rand([]).item(), Math.PI * rand([]).item()];
  const points = (count: number): Points => {
    const x = rand([count, 1]).mul(8).sub(4);
    return [x, x.add(phase).sin().mul(height)];
  };
  return { seen: points(10), asked: points(20) };
};

class Learner extends Module {
  net = new Sequential(new Linear(1, 32), new Tanh(), new Linear(32, 32), new Tanh(), new Linear(32, 1));
  /** What the network says of `x` after one gradient step on a few points. Gradients go through the step. */
  after([x, y]: Points, asked: Tensor): Tensor {
    const [names, weights] = [[...this.net.namedParameters()].map(([name]) => name), [...this.net.parameters()]];
    const gradients = grad(mseLoss(this.net(x) as Tensor, y), weights, { createGraph: true });
    const adapted = Object.fromEntries(weights.map((w, i) => [names[i]!, w.sub(gradients[i]!.mul(0.05))]));
    return functionalCall(this.net, adapted, asked) as Tensor;
  }
  trainingStep({ seen, asked }: ReturnType<typeof curve>) {
    return mseLoss(this.after(seen, asked[0]), asked[1]);
  }
  // Layers as in evaluation; it takes a gradient itself, so it is no evaluating.
  @evalMode answer({ x, y, asked }: { x: number[]; y: number[]; asked: number[] }): number[] {
    const column = (values: number[]) => tensor(values.map((v) => [v]));
    return this.after([column(x), column(y)], column(asked))
      .flatten()
      .toArray() as number[];
  }
}

manualSeed(0);
const model = new Learner();
const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  response.end(JSON.stringify(model.answer(JSON.parse(body))));
}).listen(0);
const { port } = server.address() as { port: number };
const ask = async () => {
  const [x, asked] = [
    [-3, -2, -1, 0, 1, 2, 3],
    [-2.5, -0.5, 1.5],
  ];
  const answer = await fetch(`http://localhost:${port}`, {
    method: 'POST',
    body: JSON.stringify({ x, y: x.map(Math.sin), asked }),
  });
  const values = (await answer.json()) as number[];
  return asked.reduce((sum, v, i) => sum + Math.abs(values[i]! - Math.sin(v)), 0) / asked.length;
};

const errors = [await ask()];
const training = fit(model, {
  train: Array.from({ length: 400 }, curve),
  optimizer: new optim.Adam(model.parameters(), { lr: 0.005 }),
  epochs: Number(process.argv[2] ?? 4),
  accumulateGradBatches: 4,
  callbacks: [{ onTrainEpochEnd: async () => errors.push(await ask()) }],
});
await training;
server.close();
console.log(`asked while it learnt, off by ${errors.map((e) => e.toFixed(2)).join(', ')}`);
