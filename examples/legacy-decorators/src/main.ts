/** The model class of the README, compiled with `experimentalDecorators` and `emitDecoratorMetadata`. */
import 'reflect-metadata';
import { gradPolicies, noGrad, ones, type Tensor } from '@gradgate/core';
import { Linear, Module } from '@gradgate/nn';

let isInferenceStep = false;

class Net extends Module {
  frozen = false;
  fc = new Linear(784, 10);

  override forward(x: Tensor): Tensor {
    return this.fc(x);
  }

  @noGrad evaluate(x: Tensor): Tensor {
    return this.forward(x).argmax(1);
  }

  @noGrad(function (this: Net) {
    return this.frozen;
  })
  embed(x: Tensor): Tensor {
    return this.forward(x);
  }

  @noGrad(() => isInferenceStep) async score(batches: AsyncIterable<Tensor>): Promise<Tensor[]> {
    const scores: Tensor[] = [];
    for await (const batch of batches) scores.push(this.forward(batch));
    return scores;
  }
}

async function* batches(): AsyncGenerator<Tensor> {
  yield ones([2, 784]);
  yield ones([3, 784]);
}

const net = new Net();
const x = ones([4, 784]);
console.log(`forward requires grad: ${net(x).requiresGrad}`);
console.log(`evaluate gives ${net.evaluate(x).dtype} of shape [${net.evaluate(x).shape}]`);
for (net.frozen of [false, true])
  console.log(`frozen = ${net.frozen}: embed requires grad: ${net.embed(x).requiresGrad}`);
for (isInferenceStep of [false, true]) {
  const scores = await net.score(batches());
  console.log(
    `isInferenceStep = ${isInferenceStep}: score requires grad: ${scores.map((s) => s.requiresGrad).join(', ')}`,
  );
}
console.log('\nwhat the class declares:');
for (const { member, gate, condition } of gradPolicies(Net)) {
  console.log(`  ${String(member)}: ${gate}${condition ? ' on a condition' : ''}`);
}
console.log(
  `types kept by the compiler: evaluate takes ${Reflect.getMetadata('design:paramtypes', Net.prototype, 'evaluate').length} argument`,
);
