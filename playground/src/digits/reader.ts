import { noGrad, softmax, type Tensor, tensor } from '@gradgate/core';
import { Linear, Module } from '@gradgate/nn';
import { note } from '../timeline/calls.js';
import { readWeights } from './weights.js';

/** 784-32-10, trained by `scripts/train.mjs`. */
export class DigitReader extends Module {
  hidden = new Linear(784, 32);
  output = new Linear(32, 10);

  static async load(): Promise<DigitReader> {
    const answer = await fetch(new URL('digits.bin', document.baseURI));
    if (!answer.ok) throw new Error(`digits.bin: ${answer.status} ${answer.statusText}`);
    const [hidden, output] = readWeights(await answer.arrayBuffer());
    const reader = new DigitReader();
    reader.loadStateDict({
      'hidden.weight': hidden!.weight,
      'hidden.bias': hidden!.bias,
      'output.weight': output!.weight,
      'output.bias': output!.bias,
    });
    return reader;
  }

  override forward(images: Tensor): Tensor {
    return this.output(this.hidden(images).relu());
  }

  /** The probability of each digit. */
  @noGrad classify(pixels: Float32Array): number[] {
    note('classify');
    const image = tensor(pixels, { shape: [1, 784] });
    const likely = softmax(this.forward(image), 1);
    return [...likely.toTypedArray()].map(Number);
  }
}
