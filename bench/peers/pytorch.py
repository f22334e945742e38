"""The cases of the bench in PyTorch: reads a case's name a line, answers with its milliseconds a call."""
import json, math, os, statistics, sys, time

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(int(os.environ.get("PYTORCH_BENCH_THREADS", "1")))
torch.manual_seed(1)
WARM_UP, SHORTEST, SLICES = 0.2, 0.06, 15


def variable(*shape):
    return torch.randn(*shape, requires_grad=True)


def product(m, k, n, ta=False, tb=False):
    a = torch.randn(k, m).t() if ta else torch.randn(m, k)
    b = torch.randn(n, k).t() if tb else torch.randn(k, n)
    return lambda: a @ b


def unary(n, f):
    x = torch.randn(n)
    return lambda: f(x)


def binary(n, f):
    a, b = torch.randn(n), torch.randn(n)
    return lambda: f(a, b)


def train(net, x, y, loss):
    opt = torch.optim.Adam(net.parameters())

    def step():
        opt.zero_grad()
        loss(net(x), y).backward()
        opt.step()

    return step


def backward(inputs, f):
    def run():
        for x in inputs:
            x.grad = None
        f().sum().backward()

    return run


def mlp(d, h, o):
    return nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, o))


def inference(d, h, o, batch):
    net, x = mlp(d, h, o), torch.randn(batch, d)
    return lambda: net(x)


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 49, 10))


class LanguageModel(nn.Module):
    def __init__(self, tokens, width, layers):
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, "gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers)
        self.head = nn.Linear(width, tokens)

    def forward(self, x):
        return self.head(self.encoder(self.embedding(x))).flatten(0, 1)


class Forecast(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 64, batch_first=True)
        self.head = nn.Linear(64, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def grown(batch, width, depth):
    layers = [layer for _ in range(depth) for layer in (nn.Linear(width, width), nn.ReLU())]
    return train(nn.Sequential(*layers), torch.randn(batch, width), torch.randn(batch, width), F.mse_loss)


def request():
    net, pixels = mlp(784, 128, 10), torch.full((784,), 0.5).numpy()

    @torch.no_grad()
    def answer():
        return net(torch.tensor(pixels).view(1, 784)).argmax(1).item()

    return answer


def attend(q, k, v):
    # PyTorch 2 has it as one function.
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v)
    return (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1) @ v


def attention():
    inputs = [variable(8, 4, 64, 32) for _ in range(3)]
    return backward(inputs, lambda: attend(*inputs))


def norm():
    x, w, b = variable(512, 512), torch.ones(512), torch.zeros(512)
    return backward([x], lambda: F.layer_norm(x, [512], w, b))


def eager():
    a, b = variable(8, 8), torch.randn(8, 8)
    return backward([a], lambda: a @ b)


def adam():
    p = variable(1000, 1000)
    p.grad = torch.randn(1000, 1000)
    return torch.optim.Adam([p]).step


cases = {f"product {n}": lambda n=n: product(n, n, n) for n in (32, 64, 128, 256, 512, 1024)}
for name, args in {
    "64x784x128, NT": (64, 784, 128, False, True),
    "128x64x784, TN": (128, 64, 784, True, False),
    "64x128x10, NT": (64, 128, 10, False, True),
    "64x10x128, NN": (64, 10, 128, False, False),
    "10x64x128, TN": (10, 64, 128, True, False),
}.items():
    cases[f"product {name}"] = lambda args=args: product(*args)
for size in ("1e3", "1e5", "1e7"):
    cases[f"add {size}"] = lambda n=int(float(size)): binary(n, torch.add)
    for name in ("exp", "tanh", "sum"):
        cases[f"{name} {size}"] = lambda n=int(float(size)), name=name: unary(n, getattr(torch, name))
cases["max 1000x100, rows"] = lambda: unary((1000, 100), lambda x: x.amax(1))
cases["softmax 100x1000"] = lambda: unary((100, 1000), lambda x: x.softmax(1))
cases["eager 8x8, forward and backward"] = eager
for name, sizes in {"MLP 784-128-10, batch 64": (784, 128, 10, 64), "MLP 2-16-1, batch 4": (2, 16, 1, 4)}.items():
    cases[f"{name}, infer under @noGrad"] = lambda sizes=sizes: torch.no_grad()(inference(*sizes))
    cases[f"{name}, infer, recording"] = lambda sizes=sizes: inference(*sizes)
cases["MLP 784-128-10, batch 64, train"] = lambda: train(
    mlp(784, 128, 10), torch.randn(64, 784), torch.randint(0, 10, (64,)), F.cross_entropy)
cases["MLP 2-16-1, batch 4, train"] = lambda: train(mlp(2, 16, 1), torch.randn(4, 2), torch.randn(4, 1), F.mse_loss)
cases["CNN 28x28, batch 32, train"] = lambda: train(
    cnn(), torch.randn(32, 1, 28, 28), torch.randint(0, 10, (32,)), F.cross_entropy)
cases["transformer layer 8x32x64, train"] = lambda: train(
    nn.TransformerEncoderLayer(64, 4, 256, 0.0, "gelu", batch_first=True), torch.randn(8, 32, 64),
    torch.randn(8, 32, 64), F.mse_loss)
cases["language model of 3 layers, 8x32 tokens, train"] = lambda: train(
    LanguageModel(256, 64, 3), torch.randint(0, 256, (8, 32)), torch.randint(0, 256, (256,)), F.cross_entropy)
cases["LSTM 32x24x8 to 64, train"] = lambda: train(Forecast(), torch.randn(32, 24, 8), torch.randn(32, 1), F.mse_loss)
cases["request, MLP 784-128-10"] = request
for sizes in (1, 64, 2), (16, 64, 2), (256, 64, 2), (64, 16, 2), (64, 256, 2), (64, 64, 8), (64, 64, 32):
    cases["growth, batch {}, width {}, depth {}, train".format(*sizes)] = lambda sizes=sizes: grown(*sizes)
cases["attention 8x4x64x32, forward and backward"] = attention
cases["layer norm 512x512, forward and backward"] = norm
cases["Adam step, 1e6 parameters"] = adam


def prepare(make):
    run, start = make(), time.perf_counter()
    while True:
        run()
        if time.perf_counter() - start > WARM_UP:
            return run


def time_of(run, calls):
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return time.perf_counter() - start


def measure(run):
    """As run.mjs does."""
    done, spent, fastest = 0, 0, math.inf
    while done == 0 or fastest * done <= SHORTEST or (done < 4 and spent <= 5 * SHORTEST):
        more = max(1, done)
        seconds = time_of(run, more)
        fastest = min(fastest, seconds / more)
        spent += seconds
        done += more
    each = done // SLICES
    if each < 4:
        return 1000 * spent / done
    return 1000 * statistics.median(time_of(run, each) for _ in range(SLICES)) / each


print(json.dumps({"version": torch.__version__, "cases": list(cases)}), flush=True)
made = {}
for line in sys.stdin:
    name = line.rstrip("\n")
    try:
        if name not in made:
            made[name] = prepare(cases[name])
        print(measure(made[name]), flush=True)
    except Exception as error:
        print(f"failed {error}".split("\n")[0], flush=True)
