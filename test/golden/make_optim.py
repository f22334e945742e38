"""PyTorch's numbers for optim.json: python3 make_optim.py (torch 1.13; Adafactor, which it lacks, by its formula)"""
import json, math, os
import torch
torch.manual_seed(5)
data = lambda t: dict(shape=list(t.shape), data=t.detach().flatten().tolist())
x, y = torch.randn(6, 3), torch.rand(6, 2)
paths, rates = [], []

def adafactor(w, lr=1e-2, beta2_decay=-0.8, eps1=None, eps2=1e-3, d=1.0, weight_decay=0.0):
    state = dict(step=0)
    eps1 = torch.finfo(w.dtype).eps if eps1 is None else eps1
    @torch.no_grad()
    def step():
        state['step'] += 1
        grad, share = w.grad, state['step'] ** beta2_decay
        alpha = max(eps2, w.norm(2).item() / w.numel() ** 0.5) * min(lr, 1 / state['step'] ** 0.5)
        if weight_decay: w.mul_(1 - lr * weight_decay)
        row = grad.norm(2, dim=-1, keepdim=True).square().div(grad.size(-1))
        col = grad.norm(2, dim=-2, keepdim=True).square().div(grad.size(-2))
        state['row'] = state.get('row', torch.zeros_like(row)).lerp(row, share)
        state['col'] = state.get('col', torch.zeros_like(col)).lerp(col, share)
        var = state['row'] @ state['col'] / state['row'].mean(dim=-2, keepdim=True).clamp(min=eps1)
        update = var.clamp(min=eps1 * eps1).rsqrt() * grad
        w.sub_(update * alpha / max(1.0, update.norm(2).item() / (update.numel() ** 0.5 * d)))
    return step

for name, options, kwargs in (
    ('ASGD', dict(lr=0.05, lambd=0.1, t0=3, weightDecay=0.1), dict(lr=0.05, lambd=0.1, t0=3, weight_decay=0.1)),
    ('ASGD', dict(lr=0.05, maximize=True), dict(lr=0.05, maximize=True)),
    ('Rprop', dict(lr=0.05), dict(lr=0.05)),
    ('Rprop', dict(lr=0.05, etas=[0.3, 1.5], stepSizes=[0.01, 0.1]), dict(lr=0.05, etas=(0.3, 1.5), step_sizes=(0.01, 0.1))),
    ('Adafactor', {}, {}),
    ('Adafactor', dict(lr=0.3, d=1.5, weightDecay=0.1), dict(lr=0.3, d=1.5, weight_decay=0.1)),
):
    w = torch.randn(3, 2, requires_grad=True)
    start, path, averages = data(w), [], []
    step = adafactor(w, **kwargs) if name == 'Adafactor' else None
    opt = None if step else getattr(torch.optim, name)([w], **kwargs)
    for _ in range(10):
        w.grad = None
        ((torch.tanh(x @ w) - y) ** 2).mean().backward()
        (step or opt.step)()
        path.append(data(w)['data'])
        if name == 'ASGD': averages.append(data(opt.state[w]['ax'])['data'])
    paths.append(dict(name=name, options=options, w=start, path=path, averages=averages))

S = torch.optim.lr_scheduler
def sgd(): return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2, momentum=0.5)
for name, options, make in (
    ('MultiplicativeLR', None, lambda o: S.MultiplicativeLR(o, lambda e: 0.9 + 0.01 * e)),
    ('CyclicLR', dict(baseLr=0.1, maxLr=0.5, stepSizeUp=3), lambda o: S.CyclicLR(o, 0.1, 0.5, 3)),
    ('CyclicLR', dict(baseLr=0.1, maxLr=0.5, stepSizeUp=2, stepSizeDown=3, mode='triangular2', baseMomentum=0.7), lambda o: S.CyclicLR(o, 0.1, 0.5, 2, 3, 'triangular2', base_momentum=0.7)),
    ('CyclicLR', dict(baseLr=0.1, maxLr=0.5, stepSizeUp=2, mode='expRange', gamma=0.9, cycleMomentum=False), lambda o: S.CyclicLR(o, 0.1, 0.5, 2, mode='exp_range', gamma=0.9, cycle_momentum=False)),
    ('SWALR', dict(swaLr=0.05, annealEpochs=4), lambda o: torch.optim.swa_utils.SWALR(o, 0.05, 4)),
    ('SWALR', dict(swaLr=0.5, annealEpochs=4, annealStrategy='linear'), lambda o: torch.optim.swa_utils.SWALR(o, 0.5, 4, 'linear')),
):
    opt = sgd()
    s = make(opt)
    group = opt.param_groups[0]
    got = [[group['lr'], group['momentum']]]
    for _ in range(12):
        opt.step(); s.step()
        got.append([group['lr'], group['momentum']])
    rates.append(dict(name=name, options=options, rates=got))
opt = sgd()
s = S.ChainedScheduler([S.ConstantLR(opt, 0.1, 3), S.ExponentialLR(opt, 0.9)])
chained = [opt.param_groups[0]['lr']]
for _ in range(6):
    opt.step(); s.step()
    chained.append(opt.param_groups[0]['lr'])
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'optim.json'), 'w') as f:
    json.dump(dict(x=data(x), y=data(y), paths=paths, rates=rates, chained=chained), f)
