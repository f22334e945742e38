/**
 * The wish that gradgate grew from: a `noGrad` that takes a condition. It remembers the state on entry, switches
 * gradients off only if the condition holds, and restores the state on exit, whatever happens inside.
 */
import { enableGrad, gradModeStack, isGradEnabled, noGrad, tensor } from '@gradgate/core';

const state = () => `gradients ${isGradEnabled() ? 'on' : 'off'}`;
const w = tensor([1, 2, 3], { requiresGrad: true });

function scenario(title: string, condition: boolean): void {
  console.log(`\n${title}`);
  console.log(`  before:  ${state()}`);
  noGrad(condition).run(() => {
    const y = w.mul(2);
    console.log(`  inside:  ${state()}, output requires grad: ${y.requiresGrad}`);
  });
  console.log(`  after:   ${state()}`);
}

scenario('The condition holds: gradients are off inside', true);
scenario('The condition does not hold: inside is as outside', false);

console.log('\nAn exception restores the state, and is the same error outside');
const failure = new Error('something went wrong');
try {
  noGrad.run(() => {
    console.log(`  inside:  ${state()}`);
    throw failure;
  });
} catch (error) {
  console.log(`  caught:  ${state()}, the same error: ${error === failure}`);
}

console.log('\nThe outer context decides: a condition that does not hold never switches gradients on');
noGrad.run(() => {
  noGrad(false).run(() => console.log(`  noGrad(false) inside noGrad:  ${state()}`));
  enableGrad.run(() => console.log(`  enableGrad inside noGrad:     ${state()}`));
  console.log(`  back in noGrad:               ${state()}, ${gradModeStack().length} frame(s) on the stack`);
});
console.log(`  outside:                      ${state()}`);

console.log('\nAs a decorator, the condition is read at each call');
let inferring = false;
class Model {
  @noGrad(() => inferring) predict() {
    return w.mul(2);
  }
}
const model = new Model();
for (inferring of [false, true]) {
  console.log(`  inferring = ${String(inferring).padEnd(5)}  output requires grad: ${model.predict().requiresGrad}`);
}
