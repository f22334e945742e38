import { enableGrad, grad, noGrad, type Tensor } from '@gradgate/core';
import { Linear, Module } from '@gradgate/nn';
import { note } from '../timeline/calls.js';
import { switches } from './switches.js';

export interface Surface {
  /** The output at each point of the grid. */
  output: Tensor;
  /** The slope of the output at the foot of each arrow, if gradients are available. */
  slopes: Tensor | null;
}

/** 2-16-16-1. The sign of the output is the class of a point. The page shows these methods as they are here. */
export class Net extends Module {
  first = new Linear(2, 16);
  second = new Linear(16, 16);
  head = new Linear(16, 1);

  @noGrad(() => switches.frozen)
  features(points: Tensor): Tensor {
    note('features');
    return this.second(this.first(points).tanh()).tanh();
  }

  @noGrad(() => switches.serving)
  override forward(points: Tensor): Tensor {
    note('forward');
    return this.head(this.features(points));
  }

  @noGrad(() => switches.quiet)
  surface(grid: Tensor, feet: Tensor): Surface {
    note('surface');
    return { output: this.forward(grid), slopes: this.slope(feet) };
  }

  /** Called inside `surface`, where gradients are off: if this condition is false, they stay off. */
  @enableGrad(() => switches.arrows)
  slope(points: Tensor): Tensor | null {
    note('slope');
    return switches.arrows ? slopeOf(this, points) : null;
  }
}

/** The gradient of the output at each of the points, `[n, 2]`; `null` if the output does not depend on them in the graph. */
function slopeOf(net: Net, points: Tensor): Tensor | null {
  const x = points.detach().requiresGrad_();
  const y = net.forward(x).sum();
  return y.requiresGrad ? grad(y, [x], { allowUnused: true })[0]! : null;
}
