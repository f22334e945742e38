import { manualSeed, ones, type Tensor, tensor, zeros } from '@gradgate/core';
import { Linear, optim, Parameter } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

/** An optimizer of that name that has made two steps. */
function trained(name: string, options: Record<string, unknown> = {}) {
  manualSeed(3);
  const p = new Parameter(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  const optimizer = new (optim as any)[name]([p], options) as optim.Optimizer<any, any>;
  const step = () =>
    optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = p.square().sum();
      loss.backward();
      return loss;
    });
  step();
  step();
  return { p, optimizer, step };
}
const plain = (state: optim.OptimizerState) =>
  JSON.parse(JSON.stringify(state, (_, v) => (v?.toArray ? v.toArray() : v)));

describe('a state of an optimizer', () => {
  it.each([
    ['SGD', { momentum: 0.9 }, ['momentum_buffer']],
    ['Adam', { amsgrad: true }, ['step', 'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq']],
    ['AdamW', {}, ['step', 'exp_avg', 'exp_avg_sq']],
    ['RMSprop', { centered: true, momentum: 0.9 }, ['square_avg', 'grad_avg', 'momentum_buffer']],
    ['Adagrad', {}, ['step', 'sum']],
    ['Adadelta', {}, ['square_avg', 'acc_delta']],
    ['Adamax', {}, ['step', 'exp_avg', 'exp_inf']],
    ['NAdam', {}, ['step', 'exp_avg', 'exp_avg_sq', 'mu_product']],
    ['RAdam', {}, ['step', 'exp_avg', 'exp_avg_sq']],
    ['Lion', {}, ['exp_avg']],
    ['Muon', {}, ['momentum_buffer']],
  ])('of %s has PyTorch’s names, and is a snapshot', (name, options, keys) => {
    const { optimizer, step, p } = trained(name, options);
    const state = optimizer.stateDict();
    expect(Object.keys(state.state[0]!).sort()).toEqual([...keys].sort());
    expect(Object.keys(state.param_groups[0]!)).toContain('weight_decay');
    const before = plain(state);
    step();
    optimizer.paramGroups[0]!.lr = 5;
    expect(plain(state)).toEqual(before);
    // And to load it takes no hold of it.
    const weights = p.detach().clone();
    optimizer.loadStateDict(state);
    step();
    expect(plain(state)).toEqual(before);
    expect(p.equal(weights)).toBe(false);
  });

  it('as earlier versions wrote it loads', () => {
    const { optimizer } = trained('Adam');
    const { state, param_groups } = optimizer.stateDict();
    const { exp_avg, exp_avg_sq, step } = state[0]!;
    const { weight_decay, ...rest } = param_groups[0]!;
    optimizer.loadStateDict({
      state: { 0: { step, expAvg: exp_avg, expAvgSq: exp_avg_sq } },
      paramGroups: [{ ...rest, weightDecay: 0.5 }],
    } as never);
    expect(optimizer.paramGroups[0]!.weightDecay).toBe(0.5);
    expect(plain(optimizer.stateDict()).state).toEqual(plain({ state, param_groups }).state);
    const max = trained('Adamax').optimizer;
    const own = max.stateDict();
    const { exp_inf, ...others } = own.state[0]!;
    max.loadStateDict({ ...own, state: { 0: { ...others, expAvgSq: exp_inf! } } });
    expect(plain(max.stateDict())).toEqual(plain(own));
  });

  it('that does not fit is refused as a whole, by name, and nothing changes', () => {
    const { optimizer } = trained('Adam', { lr: 0.1 });
    const good = optimizer.stateDict();
    const before = plain(good);
    const group = good.param_groups[0]!;
    const memory = good.state[0]!;
    const withGroup = (change: object) => ({ ...good, param_groups: [{ ...group, ...change }] });
    const withMemory = (change: object) => ({ ...good, state: { 0: { ...memory, ...change } } });
    const { exp_avg: _, ...without } = memory;
    const wrong: [unknown, RegExp][] = [
      [null, /takes a state from stateDict\(\), got null/],
      [{}, /groups of no parameters do not fit those of 1/],
      [{ ...good, param_groups: [null] }, /groups of null parameters do not fit/],
      [{ ...good, param_groups: [{ ...group, params: [0, 1] }] }, /groups of 2 parameters do not fit those of 1/],
      [withGroup({ lr: 'x' }), /group 0: lr must be a number from 0 up, got 'x'/],
      [withGroup({ lr: Number.NaN }), /lr must be a number from 0 up, got NaN/],
      [withGroup({ betas: [0.9] }), /betas must be \[.*\], got \[0.9\]/],
      [withGroup({ betas: [2, 3] }), /betas must be \[a number from 0 to below 1, .*\], got \[2, 3\]/],
      [withGroup({ amsgrad: 1 }), /amsgrad must be true or false, got 1/],
      [withGroup({ momentum: 0.9 }), /there is no option 'momentum'/],
      [{ ...good, state: null }, /state must be an object, got null/],
      [{ ...good, state: 3 }, /state must be an object, got 3/],
      [{ ...good, state: { 7: memory } }, /parameter 7 is in no group/],
      [{ ...good, state: { 0: 3 } }, /the state of parameter 0 must be an object, got 3/],
      [{ ...good, state: { 0: without } }, /parameter 0: exp_avg is missing/],
      [withMemory({ exp_avg: zeros([2]) }), /exp_avg has shape \[2\], the parameter \[2, 2\]/],
      [withMemory({ exp_avg: zeros([2, 2], { dtype: 'float64' }) }), /exp_avg is float64, the parameter float32/],
      [withMemory({ exp_avg: [1, 2] }), /exp_avg must be a tensor of shape \[2, 2\], got \[1, 2\]/],
      [withMemory({ step: 'two' }), /step must be a number from 0 up, got 'two'/],
      [withMemory({ square_avg: zeros([2, 2]) }), /nothing is remembered as 'square_avg'/],
    ];
    for (const [state, message] of wrong) {
      expect(() => optimizer.loadStateDict(state as never)).toThrow(message);
      expect(() => optimizer.loadStateDict(state as never)).toThrow(/^Adam\.loadStateDict: /);
    }
    // All that is wrong is in one message.
    expect(() => optimizer.loadStateDict({ ...withGroup({ lr: -1 }), state: { 0: without } } as never)).toThrow(
      /left as it was:\s+group 0: lr must be .*\s+parameter 0: exp_avg is missing/,
    );
    expect(plain(optimizer.stateDict())).toEqual(before);
  });

  it('of LBFGS has PyTorch’s names, and is checked before it is taken', () => {
    const { optimizer } = trained('LBFGS', { lr: 0.1, maxIter: 3 });
    const state = optimizer.stateDict();
    expect(Object.keys(state.state[0]!)).toEqual(
      expect.arrayContaining(['n_iter', 'func_evals', 'd', 'H_diag', 'old_dirs', 'old_stps', 'ro']),
    );
    const before = plain(state);
    expect(() => optimizer.loadStateDict({ ...state, state: { 0: { ...state.state[0]!, d: zeros([3]) } } })).toThrow(
      /LBFGS.loadStateDict: d must be a vector of 4/,
    );
    expect(() => optimizer.loadStateDict({ ...state, state: { 0: { ...state.state[0]!, t: 'x' } } } as never)).toThrow(
      /t must be a number, got 'x'/,
    );
    expect(() =>
      optimizer.loadStateDict({ ...state, param_groups: [{ ...state.param_groups[0]!, lr: 'x' }] } as never),
    ).toThrow(/lr must be/);
    expect(plain(optimizer.stateDict())).toEqual(before);
  });
});

describe('param groups', () => {
  it('have pairs of their own, apart from those of other groups and of the caller', () => {
    const betas: [number, number] = [0.9, 0.99];
    const [a, b, c] = [1, 2, 3].map((v) => new Parameter(tensor([v]))) as [Parameter, Parameter, Parameter];
    const adam = new optim.Adam([{ params: [a] }, { params: [b] }, { params: [c], betas }]);
    (adam.paramGroups[0]!.betas as [number, number])[0] = 0.5;
    betas[0] = 0.1;
    expect(adam.paramGroups.map((g) => g.betas)).toEqual([
      [0.5, 0.999],
      [0.9, 0.999],
      [0.9, 0.99],
    ]);
  });
  it.each([[0.9], [[0.9]], [[0.9, 'x']], [[NaN, 0.9]], [[0.9, 1]]])(
    'with betas %j are refused before any parameter changes',
    (betas) => {
      const [a, b] = [new Parameter(tensor([1])), new Parameter(tensor([1]))];
      const adam = new optim.Adam([{ params: [a] }, { params: [b] }]);
      a.add(b).sum().backward();
      adam.paramGroups[1]!.betas = betas as never;
      expect(() => adam.step()).toThrow(/^Adam\.step: betas must be /);
      expect(a.item()).toBe(1);
    },
  );
  it.each([['0.1'], [undefined], [NaN]])(
    'with a learning rate of %s are refused before any parameter changes',
    (lr) => {
      const [a, b] = [new Parameter(tensor([1])), new Parameter(tensor([1]))];
      const sgd = new optim.SGD([{ params: [a] }, { params: [b] }], { lr: 0.5 });
      a.add(b).sum().backward();
      sgd.paramGroups[1]!.lr = lr as number;
      expect(() => sgd.step()).toThrow(
        `SGD.step: lr of a group must be a number, got ${typeof lr === 'string' ? "'0.1'" : lr}`,
      );
      expect(a.item()).toBe(1);
    },
  );

  it('are added while training goes on, or refused as a whole', () => {
    const [a, b] = [new Linear(2, 2), new Linear(2, 2)];
    const sgd = new optim.SGD(a.parameters(), { lr: 0.5, momentum: 0.9 });
    expect(() => sgd.addParamGroup({ params: [b.weight, a.weight] })).toThrow(/given twice/);
    expect(() => sgd.addParamGroup({ params: [b.weight], lr: -1 })).toThrow(/lr must be a number from 0 up/);
    expect(() => sgd.addParamGroup({ params: [b.weight], momentum: 0, nesterov: true })).toThrow(/nesterov needs/);
    expect(() => sgd.addParamGroup(3 as never)).toThrow(/groups \{ params, \.\.\.options \}, got 3/);
    expect(sgd.paramGroups).toHaveLength(1);
    const scheduler = new optim.ExponentialLR(sgd, { gamma: 0.5 });
    scheduler.step();
    sgd.addParamGroup({ params: b.parameters(), lr: 0.01 });
    const before = b.weight.detach().clone();
    b(ones([1, 2]))
      .sum()
      .backward();
    sgd.step();
    expect(b.weight.equal(before)).toBe(false);
    scheduler.step();
    expect(sgd.paramGroups.map((g) => [g.lr, g.momentum])).toEqual([
      [0.125, 0.9],
      [0.005, 0.9],
    ]);
    const lbfgs = new optim.LBFGS(a.parameters());
    expect(() => lbfgs.addParamGroup({ params: b.parameters() })).toThrow(/pass one list, not groups/);
  });
});

describe('an asynchronous closure', () => {
  it('is waited for before the update', async () => {
    const p = new Parameter(tensor([2]));
    const sgd = new optim.SGD([p], { lr: 0.5 });
    const pending = sgd.step(async () => {
      sgd.zeroGrad();
      await null;
      const loss = p.mul(p).sum();
      loss.backward();
      return loss.item();
    });
    expect(p.item()).toBe(2);
    expect([await pending, p.item()]).toEqual([4, 0]);
    await expect(sgd.step(async () => Promise.reject(new Error('no loss')))).rejects.toThrow('no loss');
    expect(() => new optim.LBFGS([p]).step(async () => 1)).toThrow(/LBFGS.step: the closure must be synchronous/);
  });
});

it('Adagrad’s sum starts at its value, and every tensor that is remembered lives where the parameter does', () => {
  const { optimizer } = trained('Adagrad', { initialAccumulatorValue: 2 });
  expect((optimizer.stateDict().state[0]!['sum'] as Tensor).min().item()).toBeGreaterThan(2);
});
