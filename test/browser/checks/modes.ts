import { enableGrad, gradModeStack, inferenceMode, isGradEnabled, isInferenceMode, noGrad, ones } from '@gradgate/core';
import { ok, same, thrown } from './assert.js';

export function gatesSwitchAndRestore(): void {
  const w = ones([2], { requiresGrad: true });
  ok(isGradEnabled(), 'on at first');
  noGrad.run(() => {
    ok(!isGradEnabled() && !w.mul(2).requiresGrad, 'off inside noGrad');
    enableGrad.run(() => ok(w.mul(2).requiresGrad, 'on inside enableGrad'));
    ok(!isGradEnabled(), 'off again');
    noGrad(false).run(() => ok(!isGradEnabled(), 'a false flag leaves the mode'));
  });
  ok(isGradEnabled(), 'on after noGrad');
  inferenceMode.run(() => ok(isInferenceMode() && w.mul(2).inference, 'inference inside inferenceMode'));
  const failure = new Error('inside');
  const caught = thrown(() =>
    noGrad.run(() => {
      throw failure;
    }),
  );
  ok(caught === failure && isGradEnabled(), 'restored after an exception');
  {
    using _ = noGrad.enter();
    ok(!isGradEnabled(), 'off in a scope');
  }
  ok(isGradEnabled() && gradModeStack().length === 0, 'on after the scope');
}

/** Standard decorators, lowered by esbuild, on every kind of member. */
export function decoratorsSwitchAndRestore(): void {
  let frozen = false;
  class Model {
    own = false;
    @noGrad always() {
      return isGradEnabled();
    }
    @noGrad(() => frozen) onFlag() {
      return isGradEnabled();
    }
    @noGrad(function (this: Model) {
      return this.own;
    })
    onInstance() {
      return isGradEnabled();
    }
    @noGrad get property() {
      return isGradEnabled();
    }
    @noGrad static ofClass() {
      return isGradEnabled();
    }
    @noGrad #hidden() {
      return isGradEnabled();
    }
    hidden() {
      return this.#hidden();
    }
    @noGrad outer() {
      return [isGradEnabled(), this.inner(), isGradEnabled()];
    }
    @enableGrad inner() {
      return isGradEnabled();
    }
  }
  const model = new Model();
  same(
    [model.always(), model.property, Model.ofClass(), model.hidden()],
    [false, false, false, false],
    'without condition',
  );
  same([model.onFlag(), model.onInstance()], [true, true], 'conditions that fail');
  frozen = true;
  model.own = true;
  same([model.onFlag(), model.onInstance()], [false, false], 'conditions that hold');
  same(model.outer(), [false, true, false], 'one inside the other');
  ok(isGradEnabled(), 'on after all of them');
}

/** Each step of a guarded generator runs in the generator's mode, and its consumer in its own. */
export function generatorsKeepTheirMode(): void {
  const steps = noGrad.wrap(function* () {
    for (let i = 0; i < 3; i++) yield isGradEnabled();
    return isGradEnabled();
  });
  const seen: boolean[] = [];
  const running = steps();
  for (let step = running.next(); ; step = running.next()) {
    seen.push(step.value, isGradEnabled());
    if (step.done) break;
  }
  same(seen, [false, true, false, true, false, true, false, true], 'inside and outside by turns');
}
