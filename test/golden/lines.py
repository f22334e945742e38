"""What scripts share that write cases of operators, one a line: see `js` in the README."""
import json, os, torch

torch.manual_seed(0)
lines = []
words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
num = lambda v: [x if isinstance(x, (int, bool)) else words.get(str(float(x)), float(x)) for x in v]


def f(*shape):
    """Drawn in float64."""
    return torch.randn(*shape, dtype=torch.float64)


def tensor(t, grad=True):
    return {"shape": list(t.shape), "dtype": str(t.dtype)[6:], "data": num(t.detach().flatten().tolist()), "requires_grad": bool(grad and t.is_floating_point())}


def case(js, fn, *inputs, grad=True):
    """`js` is the call in our names, of the inputs a, b, ...; it gives a tensor or an array of them."""
    leaves = [x.clone().requires_grad_(grad and x.is_floating_point()) for x in inputs]
    out = fn(*[x.clone() if x.is_floating_point() else x for x in leaves])
    out = list(out) if isinstance(out, (tuple, list)) else [out]
    weights = [torch.randn_like(o) if o.requires_grad else None for o in out]
    total = sum((o * w).sum() for o, w in zip(out, weights) if w is not None)
    if any(w is not None for w in weights):
        total.backward()
    lines.append({"js": js, "inputs": [tensor(x, grad) for x in inputs], "outputs": [tensor(o, False) for o in out],
                  "weights": [None if w is None else num(w.flatten().tolist()) for w in weights],
                  "grads": [None if x.grad is None else num(x.grad.flatten().tolist()) for x in leaves]})


def write(name):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), "w") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
    print(len(lines), "lines")
