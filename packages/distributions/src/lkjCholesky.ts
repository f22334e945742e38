import { arange, cat, diagEmbed, type Generator, lgamma, randn, type Shape, type Tensor, zeros } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { multigammaln } from '@gradgate/core/special';
import { Beta } from './beta.js';
import { type ArgConstraints, corrCholesky, positive } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';

const size = { text: 'a whole number from 2 up', is: (n: unknown) => is.size.is(n) && (n as number) > 1 };

/**
 * The distribution of Lewandowski, Kurowicka and Joe (2009) over the lower Cholesky factors of correlation matrices
 * `[dim, dim]`. With a `concentration` of 1 all correlation matrices are equally likely; the larger it is, the nearer
 * they are to the identity.
 *
 * ```ts
 * const factors = new LKJCholesky(3, 0.5);
 * const l = factors.sample();
 * matmul(l, l.mT).diagonal(); // [1, 1, 1]
 * ```
 */
export class LKJCholesky extends Distribution {
  static override readonly argConstraints: ArgConstraints<'concentration'> = { concentration: positive };
  /** The number of rows of the matrices. */
  readonly dim: number;
  /** How near the matrices are to the unit matrix: above 0; at 1 all correlations are equally likely. */
  readonly concentration: Tensor;
  readonly support = corrCholesky;

  constructor(dim: number, concentration: TensorLike = 1, options?: DistributionOptions) {
    check('LKJCholesky', 'dim', dim, size);
    const given = parametersOf('LKJCholesky', { concentration }, LKJCholesky.argConstraints, options);
    super(given.concentration.shape, [dim, dim], options);
    this.dim = dim;
    this.concentration = given.concentration;
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    // Onion: each row is a direction, and a length whose square has a beta distribution; of row i with i / 2 as the
    // first concentration, where PyTorch 1.13 has i - 1 / 2, which is another distribution than that of its density.
    const { dtype, device } = this.concentration;
    const { dim } = this;
    const before = arange(dim - 1, { dtype, device });
    const halves = cat([zeros([1], { dtype, device }), before]).mul(0.5);
    const marginal = this.concentration.add(0.5 * (dim - 2)).unsqueeze(-1);
    const lengths = new Beta(halves.add(0.5), marginal.sub(halves), { validateArgs: false });
    const lead = shape.slice(0, shape.length - this.batchShape.length - 2);
    const y = lengths.sample(lead, { generator }).unsqueeze(-1);
    const normal = randn(shape, { dtype, device, generator }).tril(-1);
    const norms = normal.square().sum(-1, { keepdim: true }).sqrt();
    // The first row has no direction.
    const w = y.sqrt().mul(normal.div(norms.add(norms.eq(0).to(dtype))));
    const rest = w
      .square()
      .sum(-1)
      .neg()
      .add(1)
      .clamp(dtype === 'float64' ? 2 ** -1022 : 2 ** -126);
    return w.add(diagEmbed(rest.sqrt()));
  }

  protected override logDensity(value: Tensor): Tensor {
    const { concentration, dim } = this;
    const { dtype, device } = concentration;
    const rows = arange(2, dim + 1, { dtype, device });
    const orders = concentration.sub(1).mul(2).unsqueeze(-1).add(dim).sub(rows);
    const logs = value
      .diagonal(0, -2, -1)
      .narrow(-1, 1, dim - 1)
      .log();
    const alpha = concentration.add(0.5 * (dim - 1));
    const normalizer = multigammaln(alpha.sub(0.5), dim - 1)
      .sub(lgamma(alpha).mul(dim - 1))
      .add(0.5 * (dim - 1) * Math.log(Math.PI));
    return orders.mul(logs).sum(-1).sub(normalizer);
  }
}
