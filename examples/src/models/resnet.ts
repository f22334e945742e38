// A residual network of basic blocks for images (He et al., 2015).
import type { Tensor } from '@gradgate/core';
import { AdaptiveAvgPool2d, BatchNorm2d, Conv2d, init, Linear, MaxPool2d, Module, Sequential } from '@gradgate/nn';

class BasicBlock extends Module {
  conv1: Conv2d;
  bn1: BatchNorm2d;
  conv2: Conv2d;
  bn2: BatchNorm2d;
  downsample: Sequential<[Conv2d, BatchNorm2d]> | null = null;

  constructor(inputs: number, planes: number, stride = 1) {
    super();
    this.conv1 = new Conv2d(inputs, planes, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(planes);
    this.conv2 = new Conv2d(planes, planes, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(planes);
    if (stride !== 1 || inputs !== planes) {
      const shortcut = new Conv2d(inputs, planes, 1, { stride, bias: false });
      this.downsample = new Sequential(shortcut, new BatchNorm2d(planes));
    }
  }

  override forward(x: Tensor): Tensor {
    const identity = this.downsample?.(x) ?? x;
    const out = this.bn1(this.conv1(x)).relu();
    return this.bn2(this.conv2(out)).add(identity).relu();
  }
}

export class ResNet extends Module {
  conv1: Conv2d;
  bn1: BatchNorm2d;
  maxpool = new MaxPool2d(3, { stride: 2, padding: 1 });
  layers: Sequential<BasicBlock[]>;
  avgpool = new AdaptiveAvgPool2d(1);
  fc: Linear;

  /** `blocks` of each width: `width`, twice that, four times that ...; ResNet-18 is `[2, 2, 2, 2]` with width 64. */
  constructor(blocks: readonly number[], classes: number, width = 64) {
    super();
    this.conv1 = new Conv2d(3, width, 7, { stride: 2, padding: 3, bias: false });
    this.bn1 = new BatchNorm2d(width);
    let inputs = width;
    const layers = blocks.flatMap((count, i) =>
      Array.from({ length: count }, (_, j) => {
        const planes = width * 2 ** i;
        const block = new BasicBlock(inputs, planes, i > 0 && j === 0 ? 2 : 1);
        inputs = planes;
        return block;
      }),
    );
    this.layers = new Sequential(...layers);
    this.fc = new Linear(inputs, classes);
    this.apply((module) => {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' });
    });
  }

  /** `[batch, 3, height, width]` images to `[batch, classes]` scores. */
  override forward(x: Tensor): Tensor {
    const stem = this.maxpool(this.bn1(this.conv1(x)).relu());
    return this.fc(this.avgpool(this.layers(stem)).flatten(1));
  }
}
