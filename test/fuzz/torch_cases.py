"""Writes random programs with what PyTorch makes of them, one JSON line each: values, and gradients for all inputs.

Run: python3 torch_cases.py CASES SEED. `torchCases.ts` says how a line is read. PyTorch's own faults and choices that we
do not follow are in `skipped`, with a reason each."""
import json, math, random, sys, warnings
import torch
import torch.nn.functional as F

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
rng = random.Random()
nan, inf = math.nan, math.inf
SPECIAL = [0.0, -0.0, 1.0, -1.0, nan, inf, -inf, 3.0, -3.0, 6.0, 0.5, -0.5]

# Cases left out if an input holds NaN or an infinity (or what `why` says).
skipped = {
    "relu6 hardtanh": "1.13's vectors stop the gradient at NaN, its single elements (and later versions) let it pass",
    "softshrink hardshrink": "1.13 makes 0 of NaN, later versions let it pass",
    "hardswish": "1.13's gradient at -3 is -0.5, and at NaN it depends on the place in a vector; later it is 0 at -3",
    "elu celu selu": "1.13's gradient at NaN depends on the place in a vector",
    "mish silu gelu logaddexp": "composed of other parts: at infinities 1.13's gradient is NaN where the limit is finite, or the other way round",
    "std var norm": "sums in float32 overflow in 1.13, ours are float64",
    "copysign": "1.13 divides the result by the input, which is NaN at infinities and NaN",
    "prod cumprod": "zeros times infinities: which of them meet depends on the way of computing",
}
no_special = {name for names in skipped for name in names.split()}


class Value:
    """A tensor, the JavaScript that makes it, whether it is exact, and the same in float64."""

    def __init__(self, js, t, exact=True):
        self.js, self.t, self.exact = js, t, exact


def finite(*tensors):
    return all(t is None or bool(torch.isfinite(t).all()) for t in tensors)


class Skip(Exception):
    pass


class Program:
    def __init__(self, dtype, special):
        self.dtype, self.special, self.inputs = dtype, special, []

    def number(self):
        if self.special and rng.random() < 0.2:
            return rng.choice(SPECIAL)
        return rng.choice([rng.randint(-12, 12) / 4, rng.randint(-3, 3), rng.randint(-4000, 4000) / 1024])

    def input(self, shape, dtype=None, make=None):
        """A new input, now and then a view that is not contiguous."""
        dtype = dtype or self.dtype
        make = make or {torch.int32: lambda: rng.randint(-5, 5), torch.bool: lambda: rng.random() < 0.5}.get(dtype, self.number)
        shape = list(shape)
        view = rng.choice(["", "", "t", "s", "f"]) if shape else ""
        stored = list(shape)
        if view == "t" and len(shape) > 1:
            stored[0], stored[-1] = stored[-1], stored[0]
        elif view == "s" and shape[-1] > 0:
            stored[-1] = stored[-1] * 2
        elif view == "f" and shape[0] > 0:
            stored[0] += 1
        else:
            view = ""
        n = math.prod(stored)
        base = torch.tensor([make() for _ in range(n)], dtype=dtype).reshape(stored)
        base.requires_grad_(dtype.is_floating_point)
        name = "abcdehij"[len(self.inputs)]
        self.inputs.append(base)
        t = base * 1 if base.requires_grad else base
        if view == "t":
            return Value(f"{name}.transpose(0, -1)", t.transpose(0, -1))
        if view == "s":
            return Value(f"{name}.at('...', g.slice(null, null, 2))", t[..., ::2])
        if view == "f":
            return Value(f"{name}.narrow(0, 1, {shape[0]})", t.narrow(0, 1, shape[0]))
        return Value(name, t)


def size():
    return rng.choice([0, 1, 1, 2, 3, 3, 4, 5] if rng.random() < 0.35 else [1, 2, 3, 4])


def shape(least=0, most=4):
    return [size() for _ in range(rng.randint(least, most))]


def some(x, none=True):
    """A dimension of x, several, or none; as Python and as JavaScript."""
    n = x.t.ndim
    if none and rng.random() < 0.3:
        return None, "null"
    if n == 0:
        return (0, "0") if rng.random() < 0.5 else (-1, "-1")
    if rng.random() < 0.3 and n > 1:
        ds = rng.sample(range(n), rng.randint(1, n))
        return ds, json.dumps(ds)
    return one(x)


def one(x):
    d = rng.randrange(-max(1, x.t.ndim), max(1, x.t.ndim))
    return d, str(d)


def flag():
    b = rng.random() < 0.4
    return b, str(b).lower()


unary = {}
for spec in ("neg exp log sqrt square abs sign tanh sigmoid relu expm1 exp2 log1p log2 log10 rsqrt reciprocal sin cos tan asin acos "
             "atan sinh cosh asinh acosh atanh floor ceil trunc round frac erf erfc erfinv lgamma digamma sinc logit "
             "silu:F logSigmoid=logsigmoid:F gelu:F softplus:F elu:F selu:F celu:F leakyRelu=leaky_relu:F relu6:F hardtanh:F "
             "hardsigmoid:F hardswish:F mish:F softsign:F tanhshrink:F softshrink:F hardshrink:F rad2deg deg2rad "
             "isnan isinf isfinite signbit logicalNot=logical_not nanToNum=nan_to_num").split():
    name, _, lib = spec.partition(":")
    js, _, py = name.partition("=")
    unary[js] = getattr(F if lib else torch, py or js)
steps = set("sign floor ceil trunc round frac isnan isinf isfinite signbit logicalNot relu6 hardtanh hardsigmoid hardswish softshrink hardshrink".split())
poles = set("tan digamma lgamma erfinv atanh acosh asin acos logit log log2 log10 log1p sqrt rsqrt reciprocal".split())
binary = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.true_divide, "maximum": torch.maximum, "minimum": torch.minimum,
          "fmod": torch.fmod, "remainder": torch.remainder, "floorDivide": lambda a, b: torch.div(a, b, rounding_mode="floor").detach(), "atan2": torch.atan2,
          "hypot": torch.hypot, "logaddexp": torch.logaddexp, "xlogy": torch.xlogy, "copysign": torch.copysign,
          "fmax": torch.fmax, "fmin": torch.fmin, "pow": torch.pow, "eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le,
          "gt": torch.gt, "ge": torch.ge, "logicalAnd": torch.logical_and, "logicalOr": torch.logical_or, "logicalXor": torch.logical_xor}
binary_steps = set("fmod remainder floorDivide atan2 eq ne lt le gt ge logicalAnd logicalOr logicalXor fmax fmin maximum minimum copysign pow".split())


def apply_unary(p, x, exact):
    name = rng.choice([k for k in unary if (exact or k not in steps and k not in poles)])
    if name in no_special and not finite(x.t) or name == "hardswish" and (x.t.abs() == 3).any():
        raise Skip
    if name == "logit" and ((x.t == 0) & x.t.signbit()).any():
        raise Skip  # 1.13's gradient at -0 is Infinity in single elements and -Infinity in vectors.
    if name == "digamma" and ((x.t <= 0) & (x.t == x.t.round())).any():
        raise Skip  # 1.13's poles are not infinite, by rounding.
    if x.t.dtype == torch.bool and name in ("square", "sign", "logit", "neg"):
        raise Skip  # What becomes of bools is tested elsewhere.
    return Value(f"g.{name}({x.js})", unary[name](x.t), False), name


def apply_number(p, x, exact):
    k = rng.choice([0, 1, 2, -1, 0.5, 3, -0.75, 1.5])
    name, js, fn, step = rng.choice([
        ("add", f".add({k})", lambda t: t + k, 0), ("mul", f".mul({k})", lambda t: t * k, 0), ("div", f".div({k})", lambda t: t / k, 0),
        ("pow", f".pow({k})", lambda t: t ** k, 1), ("clamp", f".clamp({-k}, {k})", lambda t: t.clamp(-k, k), 1),
        ("clampMin", f".clamp({k})", lambda t: t.clamp(min=k), 1), ("rsub", None, lambda t: k - t, 0),
        ("threshold", None, lambda t: F.threshold(t, k, 2.0), 1), ("lerp", f".lerp({x.js}.mul(2), {k})", lambda t: torch.lerp(t, t * 2, k), 0),
        ("floorDivide", f".floorDivide({k})", lambda t: torch.div(t, k, rounding_mode="floor").detach(), 1),
        ("remainder", f".remainder({k})", lambda t: torch.remainder(t, k), 1), ("maximum", f".maximum({k})", lambda t: torch.maximum(t, torch.tensor(float(k), dtype=t.dtype)), 1),
    ])
    if name == "pow" and p.special and (x.t == -inf).any():
        raise Skip  # PyTorch takes x ** 0.5 for sqrt(x), which is NaN at -Infinity; the power is Infinity.
    if step and not exact or not x.t.is_floating_point():
        raise Skip
    full = f"{x.js}{js}" if js else {"rsub": f"g.sub({k}, {x.js})", "threshold": f"F.threshold({x.js}, {k}, 2)"}[name]
    return Value(full, fn(x.t), False), name


def apply_reduce(p, x, exact):
    name = rng.choice("sum mean prod var std amax amin norm logsumexp any all argmax argmin max min median nanmedian nansum nanmean countNonzero varMean stdMean aminmax maxAll".split())
    if not exact and name in ("any", "all", "argmax", "argmin", "max", "min", "median", "nanmedian", "amax", "amin", "aminmax", "maxAll"):
        raise Skip
    if x.t.numel() == 0 and not x.t.is_floating_point() and name in ("median", "nanmedian", "maxAll"):
        raise Skip  # Integers have no NaN for the median of none: 1.13 gives any number, here it is refused.
    if not finite(x.t) and name in no_special | {"varMean", "stdMean", "mean", "nanmean"}:
        raise Skip
    keep, jkeep = flag()
    opt = f"{{ keepdim: {jkeep} }}"
    if name in ("amax", "amin", "any", "all") and x.t.numel() == 0:
        raise Skip
    if name in ("argmax", "argmin", "any", "all", "prod", "max", "min", "median", "nanmedian", "aminmax"):
        d, jd = one(x)
        if name == "aminmax" and x.t.ndim == 0:
            raise Skip  # 1.13 makes [1] of [].
        if name in ("max", "min", "median", "nanmedian"):
            if 0 in x.t.stride():
                raise Skip  # 1.13 sorts expanded tensors in place.
            r = getattr(torch, name)(x.t, d, keep)
            return Value(f"g.{name}({x.js}, {jd}, {opt}).values", r.values, False), name
        if name == "aminmax":
            r = torch.aminmax(x.t, dim=d, keepdim=keep)
            return Value(f"g.aminmax({x.js}, {jd}, {opt}).max", r.max, False), name
        return Value(f"g.{name}({x.js}, {jd}, {opt})", getattr(torch, name)(x.t, d, keep), False), name
    if name == "maxAll":
        which = rng.choice(["max", "min", "median", "nanmedian", "prod"])
        if which in no_special and not finite(x.t) or 0 in x.t.stride():
            raise Skip
        return Value(f"g.{which}({x.js})", getattr(torch, which)(x.t), False), which
    d, jd = some(x, name != "logsumexp")
    dims = list(range(x.t.ndim)) if d is None else d
    if name == "logsumexp" and not x.t.is_floating_point():
        raise Skip  # Of integers it is refused here, as means are.
    if name == "norm":
        q = rng.choice([0, 1, 2, 3, 0.5, 1.5, inf, -inf])
        r = torch.linalg.vector_norm(x.t, q, None if d is None else d, keep) if q else torch.norm(x.t, 0, dims if x.t.ndim else None, keep)
        return Value(f"g.norm({x.js}, {'-Infinity' if q == -inf else 'Infinity' if q == inf else q}, {jd}, {opt})", r, False), name
    if name == "countNonzero":
        return Value(f"g.countNonzero({x.js}, {jd})", torch.count_nonzero(x.t, d if d is not None else None), False), name
    c = rng.choice([0, 1])
    if c == 1 and name in ("var", "varMean") and math.prod(x.t.shape[k] for k in ([dims] if isinstance(dims, int) else dims)) == 1 if x.t.ndim else c == 1:
        raise Skip  # Of one element there is no variance; 1.13 gives it an infinite gradient.
    if name in ("var", "std", "varMean", "stdMean"):
        fn = {"varMean": torch.var_mean, "stdMean": torch.std_mean}.get(name) or getattr(torch, name)
        r = fn(x.t, dim=d, correction=c, keepdim=keep)
        return Value(f"g.{name}({x.js}, {jd}, {{ keepdim: {jkeep}, correction: {c} }})" + ("[0]" if isinstance(r, tuple) else ""), r[0] if isinstance(r, tuple) else r, False), name
    r = getattr(torch, name)(x.t, d, keep) if d is not None or x.t.ndim == 0 and name == "logsumexp" else getattr(torch, name)(x.t, dims, keep)
    return Value(f"g.{name}({x.js}, {jd}, {opt})", r, False), name


def apply_shape(p, x, exact):
    n = x.t.ndim
    d, jd = one(x)
    kind = rng.choice("transpose flip unsqueeze squeeze flatten roll cumsum cumprod softmax logSoftmax sort expand narrow select diff cummax logcumsumexp tril triu diagonal repeat tile movedim chunk unfold pad diag normalize glu argsort topk kthvalue mode cat stack".split())
    if kind == "cumprod" and not finite(x.t):
        raise Skip
    if kind in ("tril", "triu") and n < 2:
        raise Skip  # Vectors are refused here.
    if kind in ("topk", "kthvalue") and x.t.unique().numel() < x.t.numel():
        raise Skip  # Of equal elements any may be taken.
    if kind in ("sort", "cummax", "argsort", "topk", "kthvalue", "mode") and (not exact or p.special):
        raise Skip
    if kind in ("softmax", "logSoftmax", "normalize", "glu") and not x.t.is_floating_point():
        raise Skip
    same = x.exact
    m = x.t.shape[d] if n else 1
    if kind == "mode" and m > 16 and x.t.is_floating_point():
        raise Skip  # Of equal elements in a long row any may have the gradient: 1.13 sorts them by std::sort.
    i = rng.randrange(max(1, m)) if m else 0
    k = rng.randint(-1, 1)
    two = f"({x.js}, {jd})"
    table = {
        "transpose": lambda: (f"{x.js}.transpose({jd}, -1)", x.t.transpose(d, -1)),
        "flip": lambda: (f"g.flip{two}", x.t.flip(d)),
        "unsqueeze": lambda: (f"{x.js}.unsqueeze({jd})", x.t.unsqueeze(d)),
        "squeeze": lambda: (f"{x.js}.squeeze()", x.t.squeeze()),
        "flatten": lambda: (f"{x.js}.flatten()", x.t.flatten()),
        "roll": lambda: (f"g.roll({x.js}, {k}, {jd})", x.t.roll(k, d)),
        "cumsum": lambda: (f"g.cumsum{two}", x.t.cumsum(d)),
        "cumprod": lambda: (f"g.cumprod{two}", x.t.cumprod(d)),
        "softmax": lambda: (f"g.softmax{two}", x.t.softmax(d)),
        "logSoftmax": lambda: (f"g.logSoftmax{two}", x.t.log_softmax(d)),
        "logcumsumexp": lambda: (f"g.logcumsumexp{two}", x.t.logcumsumexp(d)),
        "normalize": lambda: (f"F.normalize({x.js}, {{ dim: {jd} }})", F.normalize(x.t, dim=d)),
        "glu": lambda: (f"F.glu{two}", F.glu(x.t, d)),
        "sort": lambda: (f"g.sort{two}.values", x.t.sort(d, stable=True).values),
        "argsort": lambda: (f"g.argsort{two}", x.t.sort(d, stable=True).indices),
        "topk": lambda: (f"g.topk({x.js}, {i}, {jd}).values", x.t.topk(i, d).values),
        "kthvalue": lambda: (f"g.kthvalue({x.js}, {i + 1}, {jd}).values", x.t.kthvalue(i + 1, d).values),
        "mode": lambda: (f"g.mode{two}.values", x.t.mode(d).values),
        "cummax": lambda: (f"g.cummax{two}.values", x.t.cummax(d).values),
        "expand": lambda: (f"{x.js}.unsqueeze(0).expand([2, {', '.join(['-1'] * n)}])", x.t.unsqueeze(0).expand([2] + [-1] * n)),
        "narrow": lambda: (f"{x.js}.narrow({jd}, {i}, {max(0, m - i)})", x.t.narrow(d, i, max(0, m - i))),
        "select": lambda: (f"{x.js}.select({jd}, {i})", x.t.select(d, i)),
        "diff": lambda: (f"g.diff({x.js}, {{ dim: {jd} }})", x.t.diff(dim=d)),
        "tril": lambda: (f"g.tril({x.js}, {k})", x.t.tril(k)),
        "triu": lambda: (f"g.triu({x.js}, {k})", x.t.triu(k)),
        "diagonal": lambda: (f"g.diagonal({x.js}, {k})", x.t.diagonal(k)),
        "diag": lambda: (f"g.diag({x.js}, {k})", x.t.diag(k)),
        "repeat": lambda: (f"{x.js}.repeat({json.dumps([2] * n)})", x.t.repeat([2] * n)),
        "tile": lambda: (f"g.tile({x.js}, [2])", x.t.tile([2])),
        "movedim": lambda: (f"g.movedim({x.js}, {jd}, 0)", x.t.movedim(d, 0)),
        "chunk": lambda: (f"{x.js}.chunk(2, {jd})[0]", x.t.chunk(2, d)[0]),
        "unfold": lambda: (f"{x.js}.unfold({jd}, 2, 1)", x.t.unfold(d, 2, 1)),
        "pad": lambda: (f"g.pad({x.js}, [1, 2])", F.pad(x.t, [1, 2])),
        "cat": lambda: (f"g.cat([{x.js}, {x.js}], {jd})", torch.cat([x.t, x.t], d)),
        "stack": lambda: (f"g.stack([{x.js}, {x.js}], {jd})", torch.stack([x.t, x.t], d)),
    }
    js, r = table[kind]()
    exactly = kind not in ("cumsum", "cumprod", "softmax", "logSoftmax", "logcumsumexp", "normalize", "glu", "diff")
    return Value(js, r, same and exactly), kind


def like(p, x, dtype=None):
    """An input that broadcasts with x."""
    s = [rng.choice([n, n, 1]) for n in x.t.shape]
    return p.input(s[rng.randint(0, len(s)):] if rng.random() < 0.4 else s, dtype)


def apply_binary(p, x, exact):
    name = rng.choice([k for k in binary if exact or k not in binary_steps])
    if name in no_special and not finite(x.t):
        raise Skip
    if x.t.dtype == torch.bool or x.t.is_floating_point() and x.t.dtype != p.dtype:
        raise Skip  # What dtypes mix to is tested elsewhere.
    y = like(p, x)
    if name in no_special and not finite(y.t):
        raise Skip
    a, b = (x, y) if rng.random() < 0.6 else (y, x)
    return Value(f"g.{name}({a.js}, {b.js})", binary[name](a.t, b.t), False), name


def apply_where(p, x, exact):
    c, y = like(p, x, torch.bool), like(p, x)
    return Value(f"g.where({c.js}, {x.js}, {y.js})", torch.where(c.t, x.t, y.t), x.exact), "where"


def apply_index(p, x, exact):
    d, jd = one(x)
    m = x.t.shape[d] if x.t.ndim else 1
    if m == 0 or x.t.ndim == 0:
        raise Skip
    index = lambda s: p.input(s, torch.int32, lambda: rng.randrange(m))
    if x.t.dtype == torch.bool:
        raise Skip  # Sums of bools are 'or' in PyTorch.
    kind = rng.choice(["gather", "indexSelect", "scatterAdd", "maskedSelect", "maskedFill", "indexAdd", "takeAlongDim"])
    if kind == "indexSelect":
        i = index([size()])
        return Value(f"{x.js}.indexSelect({jd}, {i.js})", x.t.index_select(d, i.t), x.exact), kind
    if kind == "indexAdd":
        i = index([size()])
        s = list(x.t.shape); s[d] = i.t.numel()
        y = p.input(s)
        return Value(f"{x.js}.indexAdd({jd}, {i.js}, {y.js})", x.t.index_add(d, i.t, y.t), False), kind
    if kind in ("maskedSelect", "maskedFill"):
        c = p.input(x.t.shape, torch.bool)
        if kind == "maskedSelect" and not x.t.is_contiguous():
            raise Skip  # 1.13 mixes up the places of the gradient.
        if kind == "maskedFill":
            return Value(f"{x.js}.maskedFill({c.js}, 2)", x.t.masked_fill(c.t, 2), x.exact), kind
        return Value(f"{x.js}.maskedSelect({c.js})", x.t.masked_select(c.t), x.exact), kind
    i = index([rng.randint(0, n) if k != d % x.t.ndim else size() for k, n in enumerate(x.t.shape)])
    if kind == "scatterAdd":
        y = p.input(i.t.shape)
        return Value(f"{x.js}.scatterAdd({jd}, {i.js}, {y.js})", x.t.scatter_add(d, i.t.long(), y.t), False), kind
    return Value(f"{x.js}.gather({jd}, {i.js})", x.t.gather(d, i.t.long()), x.exact), "gather"


# Operators that need shapes of their own.
def root_matmul(p):
    m, k, n = size(), size(), size()
    batch = shape(0, 2)
    a = p.input((batch if rng.random() < 0.7 else []) + ([m, k] if rng.random() < 0.8 else [k]))
    b = p.input((batch if rng.random() < 0.5 else []) + ([k, n] if a.t.ndim == 1 or rng.random() < 0.8 else [k]))
    return Value(f"g.matmul({a.js}, {b.js})", torch.matmul(a.t, b.t), False), "matmul"


def root_einsum(p):
    eq = rng.choice(["ij,jk->ik", "bi,bj->bij", "ij->ji", "ii->i", "bij,bjk->bik", "i,i->", "ij,j->", "i,j->ij", "bi,ij,bj->b", "...i,...i->...", "ij->"])
    sizes = {c: size() for c in "ijkb"}
    ins = [p.input([sizes[c] for c in term if c != "."]) for term in eq.split("->")[0].split(",")]
    return Value(f"g.einsum('{eq}', {', '.join(x.js for x in ins)})", torch.einsum(eq, *[x.t for x in ins]), False), "einsum"


def root_linear(p):
    i, o = size(), size()
    x, w, b = p.input(shape(0, 2) + [i]), p.input([o, i]), p.input([o])
    if rng.random() < 0.5:
        return Value(f"g.linear({x.js}, {w.js})", F.linear(x.t, w.t), False), "linear"
    return Value(f"g.linear({x.js}, {w.js}, {b.js})", F.linear(x.t, w.t, b.t), False), "linear"


def root_conv(p):
    if p.special:
        raise Skip  # Zeros of the padding times NaN: in gradients, which of them are there depends on the way of computing.
    dims, transposed = rng.choice([1, 2]), rng.random() < 0.5
    k, s, pad, dil = (rng.randint(1, 3) for _ in range(4))
    pad -= 1
    groups = rng.choice([1, 1, 2])
    ci, co = groups * rng.randint(1, 2), groups * rng.randint(1, 2)
    x = p.input([rng.choice([0, 1, 2, 2]), ci] + [rng.randint(1, 6) for _ in range(dims)])
    w = p.input(([ci, co // groups] if transposed else [co, ci // groups]) + [k] * dims)
    b = p.input([co])
    js = f"{{ stride: {s}, padding: {pad}, dilation: {dil}, groups: {groups}"
    if transposed:
        extra = rng.randint(0, max(s, dil) - 1)
        y = [F.conv_transpose1d, F.conv_transpose2d][dims - 1](x.t, w.t, b.t, s, pad, extra, groups, dil)
        if 0 in y.shape[2:]:
            raise Skip  # Of an empty batch 1.13 lets images have no row or column, which it refuses of any other, as is done here.
        return Value(f"g.convTranspose{dims}d({x.js}, {w.js}, {b.js}, {js}, outputPadding: {extra} }})", y, False), "convTranspose"
    fn = [F.conv1d, F.conv2d][dims - 1]
    return Value(f"g.conv{dims}d({x.js}, {w.js}, {b.js}, {js} }})", fn(x.t, w.t, b.t, s, pad, dil, groups), False), "conv"


def root_pool(p):
    dims = rng.choice([1, 2])
    x = p.input([rng.randint(1, 2), rng.randint(1, 2)] + [rng.randint(1, 7) for _ in range(dims)])
    k, s = rng.randint(1, 3), rng.randint(1, 3)
    pad = rng.randint(0, k // 2)
    kind = rng.choice(["maxPool", "avgPool", "adaptiveAvgPool", "adaptiveMaxPool", "interpolate"])
    if kind == "maxPool":
        dil = rng.randint(1, 2)
        for n in x.t.shape[2:]:
            for y in range((n + 2 * pad - dil * (k - 1) - 1) // s + 1):
                if not any(0 <= y * s - pad + i * dil < n for i in range(k)):
                    raise Skip  # A window that misses the image: 1.13 writes its gradient anywhere in memory.
        return Value(f"g.maxPool{dims}d({x.js}, {k}, {{ stride: {s}, padding: {pad}, dilation: {dil} }})", getattr(F, f"max_pool{dims}d")(x.t, k, s, pad, dil), False), kind
    if kind == "avgPool":
        c, jc = flag()
        return Value(f"g.avgPool{dims}d({x.js}, {k}, {{ stride: {s}, padding: {pad}, countIncludePad: {jc} }})", getattr(F, f"avg_pool{dims}d")(x.t, k, s, pad, count_include_pad=c), False), kind
    if kind == "interpolate":
        mode, (corners, jc) = rng.choice(["nearest", "linear"]), flag()
        to = [rng.randint(1, 8) for _ in range(dims)]
        if mode == "nearest":
            return Value(f"F.interpolate({x.js}, {{ size: {to} }})", F.interpolate(x.t, to), False), kind
        if p.special:
            raise Skip  # 1.13 multiplies what it does not need by 0: NaN spreads.
        m = ["linear", "bilinear"][dims - 1]
        return Value(f"F.interpolate({x.js}, {{ size: {to}, mode: '{m}', alignCorners: {jc} }})", F.interpolate(x.t, to, mode=m, align_corners=corners), False), kind
    fn = getattr(F, {"adaptiveAvgPool": "adaptive_avg_pool", "adaptiveMaxPool": "adaptive_max_pool"}[kind] + f"{dims}d")
    return Value(f"F.{kind}{dims}d({x.js}, {k})", fn(x.t, k), False), kind


def root_norm(p):
    # Weights that are not contiguous: 1.13's gradient of batch_norm reads them as if they were.
    if p.special:
        raise Skip
    x = p.input([rng.randint(2, 3), rng.choice([2, 4])] + [rng.randint(1, 4) for _ in range(rng.randint(0, 2))])
    c = x.t.shape[1]
    w, b = p.input([c]), p.input([c])
    kind = rng.choice(["layerNorm", "groupNorm", "batchNorm", "instanceNorm"])
    if kind == "layerNorm":
        s = list(x.t.shape[-1:])
        if s == [1]:
            raise Skip  # What is left of one element less its mean is rounding, times 300.
        w, b = p.input(s), p.input(s)
        return Value(f"F.layerNorm({x.js}, {s}, {w.js}, {b.js})", F.layer_norm(x.t, s, w.t.contiguous(), b.t.contiguous()), False), kind
    if kind == "groupNorm":
        if x.t[0].numel() == 2:
            raise Skip
        return Value(f"g.groupNorm({x.js}, 2, {w.js}, {b.js})", F.group_norm(x.t, 2, w.t.contiguous(), b.t.contiguous()), False), kind
    if kind == "instanceNorm":
        return Value(f"g.instanceNorm({x.js}, {w.js}, {b.js})", F.instance_norm(x.t, weight=w.t.contiguous(), bias=b.t.contiguous()), False), kind
    return Value(f"g.batchNorm({x.js}, null, null, {{ weight: {w.js}, bias: {b.js}, training: true }})", F.batch_norm(x.t, None, None, w.t.contiguous(), b.t.contiguous(), True), False), kind


def root_loss(p):
    red = rng.choice(["mean", "sum", "none"])
    o = f"{{ reduction: '{red}' }}"
    kind = rng.choice("mse l1 huber smoothL1 bce bceLogits kl cosine cosineEmbedding nll crossEntropy crossEntropyP hinge marginRanking triplet softMargin multiMargin multilabelMargin poisson gaussian multilabelSoft pairwise cdist dist prelu embeddingBag".split())
    s = shape(1, 3)
    n, c = rng.randint(1, 3), rng.randint(1, 4)
    unit = lambda: rng.choice([0, 1, 0.25, 0.5, 0.875])
    sign = lambda: rng.choice([1, -1])
    if p.special and kind not in ("mse", "l1", "huber", "smoothL1", "marginRanking", "hinge", "prelu"):
        raise Skip
    plain = {"mse": ("mseLoss", F.mse_loss), "l1": ("l1Loss", F.l1_loss), "huber": ("huberLoss", F.huber_loss), "smoothL1": ("smoothL1Loss", F.smooth_l1_loss), "bceLogits": ("binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits)}
    if kind in plain:
        js, fn = plain[kind]
        x, y = p.input(s), p.input(s)
        return Value(f"F.{js}({x.js}, {y.js}, {o})", fn(x.t, y.t, reduction=red), False), js
    if kind == "bce":
        x, y = p.input(s, make=unit), p.input(s, make=unit)
        return Value(f"F.binaryCrossEntropy({x.js}, {y.js}, {o})", F.binary_cross_entropy(x.t, y.t, reduction=red), False), kind
    if kind == "kl":
        x, y = p.input(s), p.input(s, make=lambda: rng.choice([1, 0.25, 0.5]))
        return Value(f"F.klDiv({x.js}, {y.js}, {o})", F.kl_div(x.t, y.t, reduction=red), False), kind
    if kind in ("cosine", "pairwise", "cosineEmbedding", "triplet"):
        x, y, z = p.input([n, c]), p.input([n, c]), p.input([n, c])
        if kind == "cosine":
            return Value(f"F.cosineSimilarity({x.js}, {y.js})", F.cosine_similarity(x.t, y.t), False), kind
        if kind == "pairwise":
            q = rng.choice([1, 2, 3])
            return Value(f"F.pairwiseDistance({x.js}, {y.js}, {{ p: {q}, eps: 0 }})", F.pairwise_distance(x.t, y.t, q, 0), False), kind
        if kind == "triplet":
            return Value(f"F.tripletMarginLoss({x.js}, {y.js}, {z.js}, {o})", F.triplet_margin_loss(x.t, y.t, z.t, reduction=red), False), kind
        t = p.input([n], torch.int32, sign)
        return Value(f"F.cosineEmbeddingLoss({x.js}, {y.js}, {t.js}, {o})", F.cosine_embedding_loss(x.t, y.t, t.t, reduction=red), False), kind
    if kind == "cdist":
        x, y, q = p.input([size(), c]), p.input([size(), c]), rng.choice([1, 2, 3])
        return Value(f"g.cdist({x.js}, {y.js}, {q})", torch.cdist(x.t, y.t, q, "donot_use_mm_for_euclid_dist"), False), kind
    if kind == "dist":
        x, y, q = p.input(s), p.input(s), rng.choice([0, 1, 2, 3, 0.5, 1.5])
        return Value(f"g.dist({x.js}, {y.js}, {q})", torch.dist(x.t, y.t, q), False), kind
    if kind == "prelu":
        x, w = p.input([n, c]), p.input([rng.choice([1, c])])
        return Value(f"g.prelu({x.js}, {w.js})", F.prelu(x.t, w.t), False), kind
    if kind == "embeddingBag":
        w, i = p.input([n, c]), p.input([2, 3], torch.int32, lambda: rng.randrange(n))
        m = rng.choice(["sum", "mean", "max"])
        return Value(f"F.embeddingBag({i.js}, {w.js}, {{ mode: '{m}' }})", F.embedding_bag(i.t, w.t, mode=m), False), kind
    if kind in ("nll", "crossEntropy", "multiMargin"):
        x, t = p.input([n, c]), p.input([n], torch.int32, lambda: rng.randrange(c))
        js, fn = {"nll": ("nllLoss", F.nll_loss), "crossEntropy": ("crossEntropy", F.cross_entropy), "multiMargin": ("multiMarginLoss", F.multi_margin_loss)}[kind]
        return Value(f"F.{js}({x.js}, {t.js}, {o})", fn(x.t, t.t.long(), reduction=red), False), kind
    if kind == "crossEntropyP":
        x, t = p.input([n, c]), p.input([n, c], make=unit)
        return Value(f"F.crossEntropy({x.js}, {t.js}, {o})", F.cross_entropy(x.t, t.t, reduction=red), False), kind
    if kind == "multilabelMargin":
        x, t = p.input([n, c]), p.input([n, c], torch.int32, lambda: rng.randrange(-1, c))
        return Value(f"F.multilabelMarginLoss({x.js}, {t.js}, {o})", F.multilabel_margin_loss(x.t, t.t.long(), reduction=red), False), kind
    x, t = p.input([n, c]), p.input([n, c], torch.int32, sign)
    if kind == "hinge":
        return Value(f"F.hingeEmbeddingLoss({x.js}, {t.js}, {o})", F.hinge_embedding_loss(x.t, t.t, reduction=red), False), kind
    if kind == "softMargin":
        return Value(f"F.softMarginLoss({x.js}, {t.js}, {o})", F.soft_margin_loss(x.t, t.t.to(x.t.dtype), reduction=red), False), kind
    y = p.input([n, c], make=lambda: rng.choice([0.25, 1, 2, 3]))
    if kind == "marginRanking":
        return Value(f"F.marginRankingLoss({x.js}, {y.js}, {t.js}, {o})", F.margin_ranking_loss(x.t, y.t, t.t, reduction=red), False), kind
    if kind == "multilabelSoft":
        z = p.input([n, c], make=unit)
        return Value(f"F.multilabelSoftMarginLoss({x.js}, {z.js}, {o})", F.multilabel_soft_margin_loss(x.t, z.t, reduction=red), False), kind
    if kind == "poisson":
        f, jf = flag()
        return Value(f"F.poissonNllLoss({x.js}, {y.js}, {{ reduction: '{red}', full: {jf} }})", F.poisson_nll_loss(x.t, y.t, full=f, reduction=red), False), kind
    z = p.input([n, c])
    return Value(f"F.gaussianNllLoss({x.js}, {z.js}, {y.js}, {o})", F.gaussian_nll_loss(x.t, z.t, y.t, reduction=red), False), "gaussian"


def root_linalg(p):
    if p.special:
        raise Skip
    n = rng.randint(1, 3)
    b = shape(0, 1)
    x = p.input(b + [n, n])
    kind = rng.choice(["det", "inverse", "slogdet", "matrixPower", "outer", "kron", "cross", "tensordot", "quantile", "cov", "addmm", "trapezoid"])
    if kind in ("det", "inverse", "slogdet"):
        if x.t.numel() and torch.linalg.det(x.t.double()).abs().min() < 0.2:
            raise Skip
        return (Value(f"g.{kind}({x.js})", getattr(torch, kind)(x.t), False) if kind != "slogdet" else Value(f"g.slogdet({x.js}).logabsdet", torch.slogdet(x.t).logabsdet, False)), kind
    if kind == "matrixPower":
        return Value(f"g.matrixPower({x.js}, {n})", torch.matrix_power(x.t, n), False), kind
    if kind == "outer":
        u, v = p.input([size()]), p.input([size()])
        return Value(f"g.outer({u.js}, {v.js})", torch.outer(u.t, v.t), False), kind
    if kind == "kron":
        u, v = p.input(shape(0, 2)), p.input(shape(0, 2))
        return Value(f"g.kron({u.js}, {v.js})", torch.kron(u.t, v.t), False), kind
    if kind == "cross":
        u, v = p.input([2, 3]), p.input([2, 3])
        return Value(f"g.cross({u.js}, {v.js})", torch.cross(u.t, v.t, -1), False), kind
    if kind == "tensordot":
        k = size()
        u, v = p.input([size(), k]), p.input([k, size()])
        return Value(f"g.tensordot({u.js}, {v.js}, 1)", torch.tensordot(u.t, v.t, 1), False), kind
    if kind == "quantile":
        y = p.input([rng.randint(1, 5) for _ in range(rng.randint(0, 2))])
        q, (k, jk) = rng.choice([0, 0.25, 0.5, 1]), flag()
        d, jd = one(y)
        return Value(f"g.quantile({y.js}, {q}, {jd}, {{ keepdim: {jk} }})", torch.quantile(y.t, q, d, k), False), kind
    if kind == "cov":
        y = p.input([rng.randint(1, 3), rng.randint(2, 4)])
        return Value(f"g.cov({y.js})", torch.cov(y.t), False), kind
    u, v, w = p.input([n, 2]), p.input([2, n]), p.input([n, n])
    return Value(f"g.addmm({w.js}, {u.js}, {v.js}, {{ beta: 0.5, alpha: 2 }})", torch.addmm(w.t, u.t, v.t, beta=0.5, alpha=2), False), "addmm"


roots = [root_matmul, root_einsum, root_linear, root_conv, root_pool, root_norm, root_loss, root_loss, root_loss, root_linalg]
share = 0.4  # How many of the programs on floats begin with one of these.
chain = [apply_unary, apply_unary, apply_number, apply_reduce, apply_reduce, apply_shape, apply_shape, apply_binary, apply_binary, apply_where, apply_index]


def program():
    """One program; raises where PyTorch refuses it."""
    dtype = rng.choice([torch.float32, torch.float64, torch.float64])
    if rng.random() < 0.08:
        dtype = rng.choice([torch.int32, torch.bool])
    p = Program(dtype, dtype.is_floating_point and rng.random() < 0.3)
    ops = []
    if dtype.is_floating_point and rng.random() < share:
        x, name = rng.choice(roots)(p)
        ops.append(name)
        length = 0 if p.special else rng.choice([0, 0, 1])
    else:
        x = p.input(shape() if rng.random() < 0.97 else [rng.choice([513, 600])])
        length = 1 if p.special else rng.choice([1, 1, 2, 3])
    for _ in range(length):
        if not x.exact and x.t.is_floating_point() and ((x.t != 0) & (x.t.abs() < 1e-12)).any():
            raise Skip  # What cancels but for roundings is 0 in one way of computing and not in another.
        x, name = rng.choice(chain)(p, x, x.exact and not ops or x.exact)
        ops.append(name)
    if x.t.numel() > 1400 or len(p.inputs) > 8:
        raise Skip
    return p, x, ops


def finish(p, out, dtype):
    weights = torch.tensor([0.25 + (k * 7 % 5) * 0.5 for k in range(out.numel())], dtype=torch.float64).to(out.dtype).reshape(out.shape) if out.is_floating_point() else None
    if weights is not None and out.requires_grad:
        out.backward(weights)
    return [None if x.grad is None else x.grad for x in p.inputs]


def number(v, f32):
    if isinstance(v, bool):
        return str(int(v))
    if isinstance(v, int):
        return str(v)
    if math.isnan(v):
        return "null"
    if math.isinf(v):
        return "1e999" if v > 0 else "-1e999"
    text = f"{v:.{8 if f32 else 12}g}"
    return text[:-2] if text.endswith(".0") else text


def tensor(t):
    names = {torch.float32: "f", torch.float64: "d", torch.bool: "b"}
    kind = names.get(t.dtype, "i")
    return f'["{kind}",{json.dumps(list(t.shape), separators=(",", ":"))},[{",".join(number(v, t.dtype == torch.float32) for v in t.detach().flatten().tolist())}]]'


def close(a, b):
    """Whether PyTorch's own roundings are below half of what `torchCases.ts` allows."""
    a, b = a.detach().double(), b.detach().double()
    if a.shape != b.shape:
        return False
    same = (a == b) | (a.isnan() & b.isnan())
    most = max([1.0, *b[b.isfinite()].abs().tolist()])
    return bool((same | ((a - b).abs() <= 2.5e-5 * b.abs().clamp(min=max(1.0, most / 10)))).all())


def case(seed):
    rng.seed(seed)
    p, x, ops = program()
    grads = finish(p, x.t, p.dtype)
    if len(ops) > 1 and not (x.t.is_floating_point() and finite(x.t, *grads)):
        raise Skip  # Where infinities meet inside a program depends on how its parts are computed.
    if p.dtype == torch.float32:
        # A program whose result depends on float32 rounding is no case: it must agree with itself in float64.
        real = torch.tensor
        torch.tensor = lambda data, dtype=None: real(data, dtype=torch.float64 if dtype == torch.float32 else dtype)
        try:
            rng.seed(seed)
            q, y, _ = program()
            again = finish(q, y.t, q.dtype)
        finally:
            torch.tensor = real
        if not close(x.t, y.t) or any(a is not None and (b is None or not close(a, b)) for a, b in zip(grads, again)):
            raise Skip
    line = ",".join(f'"{k}":{v}' for k, v in {
        "s": seed, "js": json.dumps(x.js), "in": "[" + ",".join(tensor(t) for t in p.inputs) + "]", "out": tensor(x.t),
        "g": "[" + ",".join("0" if g is None else "[" + ",".join(number(v, g.dtype == torch.float32) for v in g.flatten().tolist()) + "]" for g in grads) + "]",
    }.items())
    return "{" + line + "}"


def main(own_roots=None, own_share=None):
    """Prints as many cases as are asked for; `torch_layers.py` has roots of its own."""
    global roots, share
    roots, share = own_roots or roots, own_share or share
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    longest = int(sys.argv[3]) if len(sys.argv) > 3 else 10**9
    made = 0
    while made < count:
        seed += 1
        try:
            line = case(seed)
        except (Skip, RuntimeError, IndexError, ValueError, TypeError, NotImplementedError):
            continue
        if len(line) <= longest:
            made += 1
            print(line)


if __name__ == "__main__":
    main()
