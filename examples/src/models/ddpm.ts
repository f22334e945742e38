// A denoising diffusion model with a small U-Net (Ho et al., 2020).
import { arange, cat, cumprod, linspace, noGrad, randint, randn, randnLike, type Tensor } from '@gradgate/core';
import {
  buffer,
  Conv2d,
  functional,
  GroupNorm,
  Identity,
  Linear,
  Module,
  MultiheadAttention,
  Sequential,
  SiLU,
  Upsample,
} from '@gradgate/nn';

/** `[batch]` times to `[batch, width]` sines and cosines of them, from fast to slow. */
function timeEmbedding(t: Tensor, width: number): Tensor {
  const half = width / 2;
  const frequencies = arange(half, { dtype: t.dtype })
    .mul(-Math.log(10000) / half)
    .exp();
  const angles = t.unsqueeze(1).mul(frequencies);
  return cat([angles.sin(), angles.cos()], -1);
}

class Residual extends Module {
  norm1: GroupNorm;
  conv1: Conv2d;
  time: Linear;
  norm2: GroupNorm;
  conv2: Conv2d;
  skip: Conv2d | Identity;

  constructor(inputs: number, outputs: number, time: number) {
    super();
    this.norm1 = new GroupNorm(2, inputs);
    this.conv1 = new Conv2d(inputs, outputs, 3, { padding: 1 });
    this.time = new Linear(time, outputs);
    this.norm2 = new GroupNorm(2, outputs);
    this.conv2 = new Conv2d(outputs, outputs, 3, { padding: 1 });
    this.skip = inputs === outputs ? new Identity() : new Conv2d(inputs, outputs, 1);
  }

  override forward(x: Tensor, t: Tensor): Tensor {
    const h = this.conv1(functional.silu(this.norm1(x))).add(this.time(functional.silu(t)).at('...', null, null));
    return this.conv2(functional.silu(this.norm2(h))).add(this.skip(x));
  }
}

export class UNet extends Module {
  time: Sequential<[Linear, SiLU, Linear]>;
  first: Conv2d;
  down: Residual;
  downsample: Conv2d;
  middle: Residual;
  attention: MultiheadAttention;
  upsample: Sequential<[Upsample, Conv2d]>;
  up: Residual;
  last: Conv2d;

  constructor(
    channels: number,
    readonly width: number,
    time: number,
  ) {
    super();
    this.time = new Sequential(new Linear(width, time), new SiLU(), new Linear(time, time));
    this.first = new Conv2d(channels, width, 3, { padding: 1 });
    this.down = new Residual(width, width, time);
    this.downsample = new Conv2d(width, 2 * width, 3, { stride: 2, padding: 1 });
    this.middle = new Residual(2 * width, 2 * width, time);
    this.attention = new MultiheadAttention(2 * width, 2, { batchFirst: true });
    this.upsample = new Sequential(
      new Upsample({ scaleFactor: 2, mode: 'nearest' }),
      new Conv2d(2 * width, width, 3, { padding: 1 }),
    );
    this.up = new Residual(2 * width, width, time);
    this.last = new Conv2d(width, channels, 1);
  }

  /** `[batch, channels, height, width]` noisy images and `[batch]` times to the noise in the images. */
  override forward(x: Tensor, t: Tensor): Tensor {
    const time = this.time(timeEmbedding(t, this.width));
    const skip = this.down(this.first(x), time);
    const h = this.middle(this.downsample(skip), time);
    const tokens = h.flatten(2).mT;
    const [attended] = this.attention(tokens, tokens, tokens, { needWeights: false });
    const seen = h.add(attended.mT.reshape(h.shape));
    return this.last(this.up(cat([this.upsample(seen), skip], 1), time));
  }
}

export class DDPM extends Module {
  /** What is kept of an image at each time: the running product of one minus the noise that is added. */
  kept: Tensor;

  constructor(
    readonly network: UNet,
    readonly steps: number,
  ) {
    super();
    this.kept = buffer(cumprod(linspace(1e-4, 0.02, steps).neg().add(1), 0));
  }

  /** The error of the noise that the network finds in `images`, at times that are drawn unless they are given. */
  override forward(images: Tensor, t = randint(0, this.steps, [images.shape[0]!]), noise = randnLike(images)): Tensor {
    const kept = this.kept.at(t, null, null, null);
    const noisy = kept.sqrt().mul(images).add(kept.neg().add(1).sqrt().mul(noise));
    return functional.mseLoss(this.network(noisy, t.to(images.dtype)), noise);
  }

  /** Images made of noise alone. */
  @noGrad sample(shape: readonly number[]): Tensor {
    let x = randn(shape);
    for (let step = this.steps - 1; step >= 0; step--) {
      const kept = this.kept.at(step);
      const before = step > 0 ? this.kept.at(step - 1) : kept.mul(0).add(1);
      const alpha = kept.div(before);
      const found = this.network(x, x.newFull([shape[0]!], step));
      x = x.sub(found.mul(alpha.neg().add(1).div(kept.neg().add(1).sqrt()))).div(alpha.sqrt());
      if (step > 0) x = x.add(alpha.neg().add(1).sqrt().mul(randnLike(x)));
    }
    return x;
  }
}
