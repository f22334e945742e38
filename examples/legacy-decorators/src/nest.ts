// A NestJS server that answers while its model trains: node examples/dist/legacy-decorators/nest.js
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { evaluating, isGradEnabled, manualSeed, mseLoss, rand, type Tensor, tensor } from '@gradgate/core';
import { Dropout, Linear, optim, ReLU, Sequential } from '@gradgate/nn';
import { Body, Controller, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

manualSeed(0);

@Injectable()
class Sums {
  readonly net = new Sequential(new Linear(2, 32), new ReLU(), new Dropout(0.1), new Linear(32, 1));
  recorded = 0;

  /** The sum of the two numbers of each row. */
  @evaluating async answer(rows: number[][]): Promise<number[]> {
    // Training goes on meanwhile, in a mode of its own.
    await new Promise(setImmediate);
    this.recorded += Number(isGradEnabled());
    return (this.net(tensor(rows)) as Tensor).flatten().toArray() as number[];
  }

  async train(steps: number): Promise<void> {
    const optimizer = new optim.Adam(this.net.parameters(), { lr: 0.01 });
    for (let step = 0; step < steps; step++) {
      const x = rand([64, 2]);
      optimizer.zeroGrad();
      mseLoss(this.net(x) as Tensor, x.sum(1, { keepdim: true })).backward();
      optimizer.step();
      await new Promise(setImmediate);
    }
  }
}

@Controller()
class Predictions {
  constructor(private readonly sums: Sums) {}

  @Post('predict') predict(@Body() rows: number[][]): Promise<number[]> {
    return this.sums.answer(rows);
  }
}

@Module({ controllers: [Predictions], providers: [Sums] })
class App {}

const app = await NestFactory.create(App, { logger: false });
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address() as AddressInfo;
const ask = async (): Promise<number> => {
  const answer = await fetch(`http://127.0.0.1:${port}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '[[0.25, 0.5]]',
  });
  return ((await answer.json()) as number[])[0]!;
};

const sums = app.get(Sums);
const before = await ask();
const training = sums.train(300);
let meanwhile = 0;
for (let open = true; open; meanwhile += 2) {
  await Promise.all([ask(), ask()]);
  open = await Promise.race([training.then(() => false), new Promise<boolean>((r) => setImmediate(r, true))]);
}
const [first, second] = await Promise.all([ask(), ask()]);
await app.close();
console.log(`0.25 + 0.5 is ${before.toFixed(2)} before training and ${first.toFixed(2)} after it`);
console.log(
  `answered ${meanwhile} times while it trained, recorded ${sums.recorded} times, the same twice: ${first === second}`,
);
