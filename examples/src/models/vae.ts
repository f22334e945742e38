// A variational autoencoder (Kingma and Welling, 2013).
import { noGrad, randn, randnLike, type Tensor } from '@gradgate/core';
import { functional, Linear, Module } from '@gradgate/nn';

export class VAE extends Module {
  fc1: Linear;
  fc21: Linear;
  fc22: Linear;
  fc3: Linear;
  fc4: Linear;

  constructor(
    inputs: number,
    hidden: number,
    readonly latent: number,
  ) {
    super();
    this.fc1 = new Linear(inputs, hidden);
    this.fc21 = new Linear(hidden, latent);
    this.fc22 = new Linear(hidden, latent);
    this.fc3 = new Linear(latent, hidden);
    this.fc4 = new Linear(hidden, inputs);
  }

  decode(z: Tensor): Tensor {
    return this.fc4(this.fc3(z).relu()).sigmoid();
  }

  /** `[batch, ...]` images in 0 to 1 to what is made of them, and mean and log variance of their codes. */
  override forward(x: Tensor, noise?: Tensor): { made: Tensor; mean: Tensor; logVar: Tensor } {
    const h = this.fc1(x.flatten(1)).relu();
    const [mean, logVar] = [this.fc21(h), this.fc22(h)];
    const z = mean.add(
      logVar
        .mul(0.5)
        .exp()
        .mul(noise ?? randnLike(mean)),
    );
    return { made: this.decode(z), mean, logVar };
  }

  loss(x: Tensor, noise?: Tensor): Tensor {
    const { made, mean, logVar } = this.forward(x, noise);
    const error = functional.binaryCrossEntropy(made, x.flatten(1), { reduction: 'sum' });
    const divergence = logVar.add(1).sub(mean.square()).sub(logVar.exp()).sum().mul(-0.5);
    return error.add(divergence);
  }

  @noGrad sample(count: number): Tensor {
    return this.decode(randn([count, this.latent]));
  }
}
