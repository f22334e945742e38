import { ones } from '@gradgate/core';
import { optim, Parameter } from '@gradgate/nn';
import { expect, it } from 'vitest';

const none =
  /^(Adam|GradScaler|StepLR|ReduceLROnPlateau)[\w.]*: paramGroups of the optimizer has undefined at 0, which is no group$/;

it.each([
  ['step', ({ adam }) => adam.step()],
  ['zeroGrad', ({ adam }) => adam.zeroGrad()],
  ['stateDict', ({ adam }) => adam.stateDict()],
  ['loadStateDict', ({ adam, state }) => adam.loadStateDict(state)],
  ['addParamGroup', ({ adam }) => adam.addParamGroup({ params: [new Parameter(ones([1]))] })],
  ['step of a scheduler', ({ decay }) => decay.step()],
  ['getLastLr', ({ decay }) => decay.getLastLr()],
  ['stateDict of a scheduler', ({ decay }) => decay.stateDict()],
  ['loadStateDict of a scheduler', ({ decay }) => decay.loadStateDict({ last_epoch: 1, base_lrs: [1], _last_lr: [1] })],
  ['step of ReduceLROnPlateau', ({ plateau }) => plateau.step(1)],
  ['unscale_', ({ adam, scaler }) => scaler.unscale_(adam)],
  ['step of GradScaler', ({ adam, scaler }) => scaler.step(adam)],
] as [string, (all: ReturnType<typeof make>) => unknown][])('%s refuses a group that was taken away', (_, use) => {
  const all = make();
  all.adam.paramGroups[0] = undefined as never;
  expect(() => use(all)).toThrow(none);
});

function make() {
  const p = new Parameter(ones([1]));
  p.grad = ones([1]);
  const adam = new optim.Adam([p], { lr: 1 });
  return {
    adam,
    state: adam.stateDict(),
    decay: new optim.StepLR(adam, { stepSize: 1 }),
    plateau: new optim.ReduceLROnPlateau(adam),
    scaler: new optim.GradScaler(),
  };
}
