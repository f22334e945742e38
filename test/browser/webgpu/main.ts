import { manualSeed, randint, randn } from '@gradgate/core';
import { functional, Linear, optim, ReLU, Sequential } from '@gradgate/nn';
import { device } from '../../../packages/webgpu/src/index.js';

declare global {
  interface Window {
    train(where: 'cpu' | 'webgpu', steps: number): Promise<number[]>;
  }
}

window.train = async (where, steps) => {
  if (where === 'webgpu') await device('webgpu');
  manualSeed(1);
  const model = new Sequential(new Linear(20, 32), new ReLU(), new Linear(32, 4)).to(where);
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const [x, y] = [randn([32, 20]).to(where), randint(0, 4, [32]).to(where)];
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    const loss = functional.crossEntropy(model(x), y);
    loss.backward();
    optimizer.step();
    losses.push(await loss.itemAsync());
  }
  return losses;
};
