import 'reflect-metadata';
import { tensor } from '@gradgate/core';
import { evaluating } from '@gradgate/nn';
import { BadRequestException, Body, Controller, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Net, train } from './model.js';

@Injectable()
class Predictor {
  private readonly net = new Net();

  learn(): number {
    return train(this.net, 100);
  }

  // As in evaluation and without gradients, also while others train the same network.
  @evaluating async answer(rows: number[][]): Promise<number[][]> {
    return this.net.predict(tensor(rows));
  }
}

@Controller()
class Predictions {
  constructor(private readonly predictor: Predictor) {}

  @Post('train') train(): { loss: number } {
    return { loss: this.predictor.learn() };
  }

  @Post('predict') async predict(@Body() rows: number[][]): Promise<number[][]> {
    try {
      return await this.predictor.answer(rows);
    } catch (error) {
      // What is no rows of two numbers is refused by name.
      throw new BadRequestException((error as Error).message);
    }
  }
}

@Module({ controllers: [Predictions], providers: [Predictor] })
class App {}

const app = await NestFactory.create(App);
await app.listen(process.env['PORT'] ?? 3000);
console.log(`POST ${await app.getUrl()}/train, and rows such as [[0, 1]] to /predict`);
