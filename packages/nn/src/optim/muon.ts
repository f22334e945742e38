import { lerp, noGrad, ShapeError, type Tensor } from '@gradgate/core';
import { check, checkTensors, is } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { BuiltInOptimizer, type Group, type MemoryKinds, memoryFor, type ParamGroup, rule } from './optimizer.js';

/** Options of `Muon`. */
export interface MuonOptions {
  /** The learning rate, 1e-3 by default, times √(rows / columns) for matrices with more rows than columns. */
  lr: number;
  /** Decoupled weight decay; 0.1 by default. */
  weightDecay: number;
  /** The share of the previous momentum that is kept; 0.95 by default. */
  momentum: number;
  /** Whether to use Nesterov's momentum; true by default. */
  nesterov: boolean;
  /** The number of steps of the Newton-Schulz iteration; 5 by default. */
  nsSteps: number;
  /** The smallest norm that the iteration divides by at its start; 1e-7 by default. */
  eps: number;
}

/**
 * Muon (Jordan et al., 2024): momentum, orthogonalized. For weight matrices; give biases, embeddings and the output
 * layer to AdamW. Options: `lr` 1e-3, `weightDecay` 0.1, `momentum` 0.95, `nesterov` true, `nsSteps` 5, `eps` 1e-7.
 * Throws for a parameter that is not a matrix.
 *
 * ```ts
 * const model = new Linear(3, 2);
 * const optimizers = [new optim.Muon([model.weight]), new optim.AdamW([model.bias!])];
 * model(randn([4, 3])).square().mean().backward();
 * for (const optimizer of optimizers) optimizer.step();
 * ```
 */
export class Muon extends BuiltInOptimizer<MuonOptions, { momentumBuffer?: Tensor }> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<MuonOptions>>, options?: Partial<MuonOptions>) {
    super(params, { lr: 1e-3, weightDecay: 0.1, momentum: 0.95, nesterov: true, nsSteps: 5, eps: 1e-7 }, options);
  }

  protected override checkGroup({ params }: Group<MuonOptions>): void {
    for (const p of params)
      if (p.ndim !== 2)
        throw new TypeError(`Muon: takes matrices, got a parameter of shape ${shapeText(p)}; give it to AdamW`);
  }

  protected override memory(): MemoryKinds {
    return { momentumBuffer: 'tensor' };
  }

  override [rule](p: Tensor, grad: Tensor, state: { momentumBuffer?: Tensor }, group: Group<MuonOptions>): void {
    const { lr, weightDecay, momentum, nesterov, nsSteps, eps } = group;
    state.momentumBuffer ??= memoryFor(p);
    state.momentumBuffer.lerp_(grad, 1 - momentum);
    const direction = nesterov ? lerp(grad, state.momentumBuffer, momentum) : state.momentumBuffer;
    const [rows, columns] = p.shape as [number, number];
    const rate = lr * Math.sqrt(Math.max(1, rows / columns));
    p.mul_(1 - lr * weightDecay).sub_(orthogonalize(direction, nsSteps, eps).mul(rate));
  }
}

/**
 * An approximation of the orthogonal matrix closest to `m`, by a quintic Newton-Schulz iteration of `steps` steps:
 * singular values become about 1. `m` is a matrix; the result has its shape.
 *
 * ```ts
 * optim.orthogonalize(tensor([[2, 0], [0, 0.5]])).shape; // [2, 2]
 * ```
 */
export function orthogonalize(m: Tensor, steps = 5, eps = 1e-7): Tensor {
  checkTensors('orthogonalize', m);
  if (m.ndim !== 2) throw new ShapeError('orthogonalize', `takes a matrix, got ${shapeText(m)}`);
  check('orthogonalize', 'steps', steps, is.size);
  check('orthogonalize', 'eps', eps, is.nonNegative);
  return noGrad.run(() => {
    const tall = m.shape[0]! > m.shape[1]!;
    const wide = tall ? m.t() : m;
    let x = wide.div(wide.norm().clamp(eps));
    for (let i = 0; i < steps; i++) {
      const gram = x.matmul(x.t());
      const b = gram.mul(-4.775).add(gram.matmul(gram).mul(2.0315));
      x = x.mul(3.4445).add(b.matmul(x));
    }
    return tall ? x.t() : x;
  });
}
