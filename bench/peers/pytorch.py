"""The cases of the bench in PyTorch: reads a case's name a line, answers with its milliseconds a call."""
import sys, time, torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
torch.manual_seed(1)


def product(m, k, n, ta=False, tb=False):
    a = torch.randn(k, m).t() if ta else torch.randn(m, k)
    b = torch.randn(n, k).t() if tb else torch.randn(k, n)
    return lambda: a @ b


def unary(n, f):
    x = torch.randn(n)
    return lambda: f(x)


def train(net, x, y, loss):
    opt = torch.optim.Adam(net.parameters())

    def step():
        opt.zero_grad()
        loss(net(x), y).backward()
        opt.step()

    return step


def mlp(d, h, o):
    return nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, o))


def infer():
    net, x = mlp(784, 128, 10), torch.randn(64, 784)

    def run():
        with torch.no_grad():
            net(x)

    return run


def eager():
    a, b = torch.randn(8, 8, requires_grad=True), torch.randn(8, 8)

    def run():
        a.grad = None
        (a @ b).sum().backward()

    return run


def norm():
    x, w, b = torch.randn(512, 512, requires_grad=True), torch.ones(512), torch.zeros(512)

    def run():
        x.grad = None
        F.layer_norm(x, [512], w, b).sum().backward()

    return run


def adam():
    p = torch.randn(1000, 1000, requires_grad=True)
    p.grad = torch.randn(1000, 1000)
    return torch.optim.Adam([p]).step


def binary(n):
    a, b = torch.randn(n), torch.randn(n)
    return lambda: a + b


cases = {f"product {n}": lambda n=n: product(n, n, n) for n in (32, 64, 128, 256, 512, 1024)}
cases["product 64x784x128, NT"] = lambda: product(64, 784, 128, False, True)
cases["product 128x64x784, TN"] = lambda: product(128, 64, 784, True, False)
for n in (1000, 100000, 1000000):
    cases[f"add {n}"] = lambda n=n: binary(n)
    for name in ("exp", "tanh", "sum"):
        cases[f"{name} {n}"] = lambda n=n, name=name: unary(n, getattr(torch, name))
cases["softmax 100x1000"] = lambda: (lambda x: lambda: x.softmax(1))(torch.randn(100, 1000))
cases["eager 8x8 forward and backward"] = eager
cases["MLP 784-128-10, batch 64, train"] = lambda: train(mlp(784, 128, 10), torch.randn(64, 784), torch.randint(0, 10, (64,)), F.cross_entropy)
cases["MLP 784-128-10, batch 64, infer"] = infer
cases["MLP 2-16-1, batch 4, train"] = lambda: train(mlp(2, 16, 1), torch.randn(4, 2), torch.randn(4, 1), F.mse_loss)
cases["CNN 28x28, batch 32, train"] = lambda: train(
    nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
                  nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 49, 10)),
    torch.randn(32, 1, 28, 28), torch.randint(0, 10, (32,)), F.cross_entropy)
cases["transformer layer 8x32x64, train"] = lambda: train(
    nn.TransformerEncoderLayer(64, 4, 256, 0.0, "gelu", batch_first=True), torch.randn(8, 32, 64), torch.randn(8, 32, 64), F.mse_loss)
cases["layer norm 512x512, forward and backward"] = norm
cases["Adam step, 1e6 parameters"] = adam

print(f"ready {torch.__version__}", flush=True)
made = {}
for line in sys.stdin:
    name = line.strip()
    if name not in cases:
        print("none", flush=True)
        continue
    if name not in made:
        made[name] = cases[name]()
        for _ in range(3):
            made[name]()
    run, count, start = made[name], 0, time.perf_counter()
    while True:
        for _ in range(1 if count == 0 else count):
            run()
        count = max(1, 2 * count)
        spent = time.perf_counter() - start
        if spent > 0.08:
            break
    print(1000 * spent / count, flush=True)
