import { bindGradMode, gradMode, noGrad, ones, type Tensor } from '@gradgate/core';
import { Linear, Module } from '@gradgate/nn';

/** A gate that only its type reveals. */
const gates = { quiet: noGrad(() => true) };

export class Net extends Module {
  fc = new Linear(2, 2);
  override forward(x: Tensor): Tensor {
    return this.fc(x);
  }
  @noGrad evaluate(x: Tensor): Tensor {
    return this.forward(x);
  }
  @noGrad(() => true) *batches(): Generator<Tensor> {
    using _ = gradMode(true).enter(); // no-scope-across-await: the gate may not hold
    yield this.forward(ones([1, 2]));
  }
  @noGrad *all(): Generator<Tensor> {
    using _ = gates.quiet.enter();
    yield this.forward(ones([1, 2]));
  }
  // @ts-expect-error the compiler says so too
  @noGrad(async () => true) // no-async-condition
  async score(x: Tensor): Promise<Tensor> {
    using _ = gates.quiet.enter(); // no-scope-across-await
    await null;
    return this.forward(x);
  }
  forget(x: Tensor): Tensor {
    gates.quiet; // no-dropped-gate
    noGrad.wrap(() => this.forward(x)); // no-dropped-gate
    bindGradMode(() => this.forward(x)); // no-dropped-gate
    gates.quiet.enter(); // require-using
    return this.forward(x);
  }
  step(x: Tensor): void {
    this.forward(x).sum().backward();
  }
  measure(x: Tensor): Tensor {
    this.eval(); // prefer-eval-mode
    return this.fc.eval()(x); // prefer-eval-mode
  }
}
