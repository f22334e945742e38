"""As torch_cases.py, with programs of layers and functions that ask for shapes of their own: volumes, windows and their
inverses, interpolation, packed sequences, recurrent layers, attention, special functions, linear algebra, distributions.

Run: python3 torch_layers.py CASES SEED. In the JavaScript, `nn` is the package, `L` core/linalg, `S` core/special and `D`
distributions."""
import math, random
import torch
import torch.distributions as dist
import torch.nn.functional as F
import torch_cases as base
from torch_cases import Skip, Value, flag, finite, rng, size

dims_of = ["", "1d", "2d", "3d"]
linear_modes = ["", "linear", "bilinear", "trilinear"]


def js(v):
    """A Python value as JavaScript."""
    if isinstance(v, bool):
        return str(v).lower()
    if isinstance(v, (list, tuple)):
        return "[" + ", ".join(js(x) for x in v) + "]"
    if isinstance(v, str):
        return f"'{v}'"
    return "null" if v is None else str(v)


def options(**named):
    return "{ " + ", ".join(f"{k}: {js(v)}" for k, v in named.items()) + " }"


def each(dims, low, high):
    """A size for each dimension, or one for all; as Python takes it."""
    return rng.randint(low, high) if rng.random() < 0.4 else [rng.randint(low, high) for _ in range(dims)]


def image(p, dims, low=1, high=5, batch=True):
    """[N, C, ...] or [C, ...]; now and then of no batch."""
    n = [rng.choice([0, 1, 2, 2, 2])] if batch and rng.random() < 0.8 else []
    return p.input(n + [rng.randint(1, 2)] + [rng.randint(low, high) for _ in range(dims)])


def number_of(v, dims):
    """One number for one dimension, where JavaScript takes no list."""
    return v[0] if dims == 1 and isinstance(v, list) else v


def plain(p):
    if p.special:
        raise Skip  # What NaN and infinities spread to depends on the way of computing.


def root_volume(p):
    plain(p)
    groups = rng.choice([1, 1, 2])
    ci, co = groups * rng.randint(1, 2), groups * rng.randint(1, 2)
    stride, padding, dilation = each(3, 1, 3), each(3, 0, 2), each(3, 1, 2)
    kernel = [rng.randint(1, 2) for _ in range(3)]
    x = p.input(([rng.choice([1, 2])] if rng.random() < 0.8 else []) + [ci] + [rng.randint(1, 4) for _ in range(3)])
    transposed = rng.random() < 0.5
    w = p.input(([ci, co // groups] if transposed else [co, ci // groups]) + kernel)
    b = p.input([co])
    same = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if transposed:
        extra = rng.choice([0, 0, 1])
        y = F.conv_transpose3d(x.t, w.t, b.t, stride, padding, extra, groups, dilation)
        return Value(f"F.convTranspose3d({x.js}, {w.js}, {b.js}, {options(**same, outputPadding=extra)})", y, False), "convTranspose3d"
    return Value(f"F.conv3d({x.js}, {w.js}, {b.js}, {options(**same)})", F.conv3d(x.t, w.t, b.t, stride, padding, dilation, groups), False), "conv3d"


def root_layer_conv(p):
    """Convolutions of one and two dimensions without a batch, with a size for each dimension, and 'same'."""
    plain(p)
    dims = rng.choice([1, 2, 2])
    groups = rng.choice([1, 2])
    ci, co = groups, groups * rng.randint(1, 2)
    x = p.input(([rng.choice([0, 1, 2])] if rng.random() < 0.6 else []) + [ci] + [rng.randint(1, 6) for _ in range(dims)])
    w = p.input([co, ci // groups] + [rng.randint(1, 4) for _ in range(dims)])
    if rng.random() < 0.4:
        dilation = each(dims, 1, 2)
        y = getattr(F, f"conv{dims}d")(x.t, w.t, None, 1, "same", dilation, groups)
        return Value(f"F.conv{dims}d({x.js}, {w.js}, null, {options(padding='same', dilation=number_of(dilation, dims), groups=groups)})", y, False), "same"
    stride, padding, dilation = each(dims, 1, 3), each(dims, 0, 3), each(dims, 1, 3)
    y = getattr(F, f"conv{dims}d")(x.t, w.t, None, stride, padding, dilation, groups)
    o = options(stride=number_of(stride, dims), padding=number_of(padding, dims), dilation=number_of(dilation, dims), groups=groups)
    return Value(f"F.conv{dims}d({x.js}, {w.js}, null, {o})", y, False), "conv"


def root_windows(p):
    dims = rng.choice([1, 2, 3, 3])
    kind = rng.choice(["max", "avg", "avg", "lp", "unpool", "unpool", "adaptiveAvg", "adaptiveMax"])
    x = image(p, dims)
    kernel, stride = each(dims, 1, 3), each(dims, 1, 3)
    if kind.startswith("adaptive"):
        out = each(dims, 1, 4)
        py = {"adaptiveAvg": "adaptive_avg_pool", "adaptiveMax": "adaptive_max_pool"}[kind]
        if x.t.numel() == 0:
            raise Skip
        return Value(f"F.{kind}Pool{dims}d({x.js}, {js(number_of(out, dims))})", getattr(F, f"{py}{dims}d")(x.t, out), False), kind
    half = [k // 2 for k in (kernel if isinstance(kernel, list) else [kernel] * dims)]
    padding = [rng.randint(0, h) for h in half]
    ceil, _ = flag()
    k, s, pad = (js(number_of(v, dims)) for v in (kernel, stride, padding))
    if kind == "avg":
        count, _ = flag()
        # Windows that are only padding: 1.13 divides by 0, later versions refuse or leave them out.
        y = getattr(F, f"avg_pool{dims}d")(x.t, kernel, stride, padding, ceil, count)
        if not finite(y) and finite(x.t):
            raise Skip
        return Value(f"F.avgPool{dims}d({x.js}, {k}, {{ stride: {s}, padding: {pad}, ceilMode: {js(ceil)}, countIncludePad: {js(count)} }})", y, False), kind
    if kind == "lp":
        plain(p)
        q = rng.choice([1, 2, 3])
        if dims == 3 or (x.t == 0).any() or q == 1 and x.t.ndim == dims + 1:
            raise Skip  # 1.13 has none of volumes, and at zeros its gradient is NaN.
        y = getattr(F, f"lp_pool{dims}d")(x.t, q, number_of(kernel, dims), number_of(stride, dims), ceil)
        return Value(f"F.lpPool{dims}d({x.js}, {q}, {k}, {{ stride: {s}, ceilMode: {js(ceil)} }})", y, False), kind
    if kind == "max":
        dilation = rng.randint(1, 2)
        pool = lambda t: getattr(F, f"max_pool{dims}d")(t, kernel, stride, padding, dilation, ceil)
        if not finite(pool(torch.zeros_like(x.t))):
            raise Skip  # A window that misses the image: 1.13 writes its gradient anywhere in memory.
        y = pool(x.t)
        return Value(f"F.maxPool{dims}d({x.js}, {k}, {{ stride: {s}, padding: {pad}, dilation: {dilation}, ceilMode: {js(ceil)} }})", y, False), kind
    if x.t.numel() == 0 or x.t.unique().numel() < x.t.numel():
        raise Skip  # Of equal elements in windows that overlap the last that is written remains.
    y, places = getattr(F, f"max_pool{dims}d")(x.t, kernel, stride, padding, return_indices=True)
    if any(plane.unique().numel() < plane.numel() for plane in places.reshape(-1, places[(0,) * (places.ndim - dims)].numel())):
        raise Skip
    back = getattr(F, f"max_unpool{dims}d")(y, places, kernel, stride, padding)
    o = f"{{ stride: {s}, padding: {pad} }}"
    return Value(f"(() => {{ const {{ values, indices }} = F.maxPool{dims}dWithIndices({x.js}, {k}, {o}); return F.maxUnpool{dims}d(values, indices, {k}, {o}); }})()", back, False), kind


def root_interpolate(p):
    plain(p)
    dims = rng.choice([1, 2, 2, 3])
    x = p.input([rng.choice([1, 2]), rng.choice([1, 2])] + [rng.randint(1, 5) for _ in range(dims)])
    modes = ["nearest", "nearest-exact", linear_modes[dims], "area"] + (["bicubic"] if dims == 2 else [])
    mode = rng.choice(modes)
    named = {"mode": mode}
    if rng.random() < 0.5:
        named["size"] = each(dims, 1, 7)
        given = {"size": named["size"]}
    else:
        factor = [rng.choice([0.5, 1, 1.5, 2, 2.5, 3]) for _ in range(dims)]
        if mode == "area" and any(n * f < 1 for n in x.t.shape[2:] for f in factor):
            raise Skip  # Of no elements: refused here, as 1.13 does in the other modes.
        named["scaleFactor"] = factor[0] if rng.random() < 0.5 else factor
        given = {"scale_factor": named["scaleFactor"]}
    if mode.endswith(("linear", "cubic")):
        corners = rng.random() < 0.4
        if dims == 2 and rng.random() < 0.3:
            named["antialias"] = given["antialias"] = True
        named["alignCorners"] = given["align_corners"] = corners
    return Value(f"F.interpolate({x.js}, {options(**named)})", F.interpolate(x.t, mode=mode, **given), False), mode


def root_planes(p):
    plain(p)
    kind = rng.choice(["unfold", "fold", "shuffle", "unshuffle", "channels", "response", "grid", "affine", "bilinear", "reflect", "replicate", "circular"])
    if kind in ("unfold", "fold"):
        kernel, dilation, padding, stride = each(2, 1, 3), each(2, 1, 2), each(2, 0, 1), each(2, 1, 2)
        o = options(dilation=dilation, padding=padding, stride=stride)
        x = p.input([rng.randint(1, 2), rng.randint(1, 2), rng.randint(2, 5), rng.randint(2, 5)])
        y = F.unfold(x.t, kernel, dilation, padding, stride)
        if kind == "unfold":
            return Value(f"F.unfold({x.js}, {js(kernel)}, {o})", y, False), kind
        z = F.fold(y, x.t.shape[2:], kernel, dilation, padding, stride)
        return Value(f"F.fold(F.unfold({x.js}, {js(kernel)}, {o}), {js(list(x.t.shape[2:]))}, {js(kernel)}, {o})", z, False), kind
    if kind in ("shuffle", "unshuffle"):
        r, n = rng.randint(1, 3), rng.choice([0, 1, 2])
        s = [n, 2 * r * r, 2, 1] if kind == "shuffle" else [n, 2, 2 * r, r]
        x = p.input(s)
        y = F.pixel_shuffle(x.t, r) if kind == "shuffle" else F.pixel_unshuffle(x.t, r)
        return Value(f"F.pixel{kind.capitalize()}({x.js}, {r})", y, True), kind
    if kind == "channels":
        g = rng.randint(1, 3)
        x = p.input([rng.choice([1, 2]), g * rng.randint(1, 2), 2, 2])
        return Value(f"F.channelShuffle({x.js}, {g})", F.channel_shuffle(x.t.contiguous(), g), True), kind
    if kind == "response":
        x = p.input([rng.choice([1, 2]), rng.randint(1, 5)] + [rng.randint(1, 3) for _ in range(rng.randint(1, 3))])
        n, k = rng.randint(1, 4), rng.choice([1, 2])
        return Value(f"F.localResponseNorm({x.js}, {n}, {options(alpha=0.5, beta=0.75, k=k)})", F.local_response_norm(x.t, n, 0.5, 0.75, k), False), kind
    if kind == "grid":
        x = p.input([2, rng.randint(1, 2), rng.randint(1, 4), rng.randint(1, 4)])
        at = p.input([2, rng.randint(0, 3), rng.randint(1, 3), 2], make=lambda: rng.randint(-1300, 1300) / 1024)
        mode, beyond, corners = rng.choice(["bilinear", "nearest", "bicubic"]), rng.choice(["zeros", "border", "reflection"]), rng.random() < 0.5
        y = F.grid_sample(x.t, at.t, mode, beyond, corners)
        return Value(f"F.gridSample({x.js}, {at.js}, {options(mode=mode, paddingMode=beyond, alignCorners=corners)})", y, False), kind
    if kind == "affine":
        theta, s, corners = p.input([2, 2, 3]), [2, 1, rng.randint(1, 3), rng.randint(1, 3)], rng.random() < 0.5
        return Value(f"F.affineGrid({theta.js}, {js(s)}, {options(alignCorners=corners)})", F.affine_grid(theta.t, s, corners), False), kind
    if kind == "bilinear":
        n = base.shape(0, 2)
        x, y, w, b = p.input(n + [2]), p.input(n + [3]), p.input([2, 2, 3]), p.input([2])
        return Value(f"F.bilinear({x.js}, {y.js}, {w.js}, {b.js})", F.bilinear(x.t, y.t, w.t, b.t), False), kind
    dims = rng.randint(1, 3)
    x = p.input([rng.choice([1, 2])] * 2 + [rng.randint(1, 4) for _ in range(dims)])
    sides = [rng.randint(0, 3) for _ in range(2 * dims)]
    name = {"reflect": "reflect", "replicate": "replicate", "circular": "circular"}[kind]
    return Value(f"g.pad({x.js}, {js(sides)}, {{ mode: '{name}' }})", F.pad(x.t, sides, name), True), kind


def given(p, module):
    """Inputs as the weights of a recurrent module, and the object of them for `functionalCall`."""
    names, weights = [], []
    for name in module._flat_weights_names:
        w = p.input(getattr(module, name).shape, make=lambda: rng.randint(-1024, 1024) / 1024)
        weights.append(w.t)
        first, *rest = name.split("_")
        names.append(f"{first}{''.join(part.capitalize() for part in rest)}: {w.js}")
    module._flat_weights = weights
    return "{ " + ", ".join(names) + " }"


def root_recurrent(p):
    """A recurrent network on a padded or a packed batch: its outputs or its last state."""
    plain(p)
    kind = rng.choice(["RNN", "LSTM", "GRU"])
    hidden, width = rng.randint(1, 2), rng.randint(1, 2)
    first, shape_of = rng.random() < 0.5, rng.choice(["bias", "both", "layers", ""])
    biased, both, layers = shape_of == "bias", shape_of == "both", 2 if shape_of == "layers" else 1
    module = getattr(torch.nn, kind)(width, hidden, layers, batch_first=first, bias=biased, bidirectional=both)
    if p.dtype == torch.float64:
        module = module.double()
    lengths = [rng.randint(1, 3) for _ in range(rng.randint(1, 3))]
    steps = max(lengths)
    x = p.input([len(lengths), steps, width] if first else [steps, len(lengths), width])
    named = given(p, module)
    layer = f"new nn.{kind}({width}, {hidden}, {options(numLayers=layers, batchFirst=first, bias=biased, bidirectional=both)}).to('{str(p.dtype)[6:]}')"
    if rng.random() < 0.5:
        packed = torch.nn.utils.rnn.pack_padded_sequence(x.t, lengths, first, False)
        out, state = module(packed)
        out = torch.nn.utils.rnn.pad_packed_sequence(out, first)[0]
        source = f"nn.packPaddedSequence({x.js}, {js(lengths)}, {options(batchFirst=first, enforceSorted=False)})"
        unpack = f"nn.padPackedSequence(r[0], {options(batchFirst=first)})[0]"
    else:
        out, state = module(x.t)
        source, unpack = x.js, "r[0]"
    last = rng.random() < 0.4
    value = (state[0] if kind == "LSTM" else state) if last else out
    got = ("r[1][0]" if kind == "LSTM" else "r[1]") if last else unpack
    return Value(f"(() => {{ const r = nn.functionalCall({layer}, {named}, {source}); return {got}; }})()", value, False), kind


def root_attention(p):
    plain(p)
    n, q, k, width = rng.choice([1, 2]), rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 3)
    a, b, c = p.input([n, q, width]), p.input([n, k, width]), p.input([n, k, 2])
    scores = a.t @ b.t.transpose(1, 2) / math.sqrt(width)
    kind = rng.choice(["plain", "mask", "bias", "causal"])
    if kind == "mask":
        m = p.input([q, k], torch.bool)
        if not m.t.any(-1).all():
            raise Skip  # Rows that see nothing are tested elsewhere.
        scores = scores.masked_fill(~m.t, -math.inf)
        o = f"{{ attnMask: {m.js} }}"
    elif kind == "bias":
        m = p.input([q, k])
        scores = scores + m.t
        o = f"{{ attnMask: {m.js} }}"
    elif kind == "causal":
        scores = scores.masked_fill(~torch.ones(q, k, dtype=torch.bool).tril(), -math.inf)
        o = "{ isCausal: true }"
    else:
        o = "{}"
    return Value(f"F.scaledDotProductAttention({a.js}, {b.js}, {c.js}, {o})", scores.softmax(-1) @ c.t, False), kind


def root_sequence_loss(p):
    plain(p)
    if rng.random() < 0.5:
        n, t, c = rng.randint(1, 2), rng.randint(1, 5), rng.randint(2, 3)
        x = p.input([t, n, c])
        longest = rng.randint(1, 3)
        y = p.input([n, longest], torch.int32, lambda: rng.randint(1, c - 1))
        ins, outs = [rng.randint(1, t) for _ in range(n)], [rng.randint(0, longest) for _ in range(n)]
        red, zero = rng.choice(["mean", "sum", "none"]), True
        loss = F.ctc_loss(x.t.log_softmax(2), y.t.long(), torch.tensor(ins), torch.tensor(outs), 0, red, zero)
        return Value(f"F.ctcLoss(g.logSoftmax({x.js}, 2), {y.js}, {js(ins)}, {js(outs)}, {options(reduction=red, zeroInfinity=zero)})", loss, False), "ctc"
    n, c = rng.randint(1, 3), rng.randint(1, 4)
    x, w = p.input([n, c] + ([2] if rng.random() < 0.3 else [])), p.input([c], make=lambda: rng.choice([0.25, 1, 2]))
    ignored = rng.randint(-1, c - 1)
    t = p.input([n] + list(x.t.shape[2:]), torch.int32, lambda: rng.randrange(c))
    red, smooth = rng.choice(["mean", "sum", "none"]), rng.choice([0, 0.1])
    y = F.cross_entropy(x.t, t.t.long(), w.t.detach(), ignore_index=ignored, reduction=red, label_smoothing=smooth)
    if not finite(y):
        raise Skip  # All ignored: the mean of none.
    return Value(f"F.crossEntropy({x.js}, {t.js}, {{ weight: {w.js}.detach(), ignoreIndex: {ignored}, reduction: '{red}', labelSmoothing: {smooth} }})", y, False), "crossEntropy"


special = {
    "besselJ0": torch.special.bessel_j0, "besselJ1": torch.special.bessel_j1, "entr": torch.special.entr, "erfcx": torch.special.erfcx,
    "gammaln": torch.special.gammaln, "i0": torch.special.i0, "i0e": torch.special.i0e, "i1": torch.special.i1, "i1e": torch.special.i1e,
    "ndtr": torch.special.ndtr, "logNdtr": torch.special.log_ndtr, "expit": torch.special.expit, "sinc": torch.special.sinc, "exp2": torch.special.exp2,
    "expm1": torch.special.expm1, "log1p": torch.special.log1p, "round": torch.special.round,
}
untracked = {"besselJ0", "besselJ1"}


def root_special(p):
    plain(p)
    kind = rng.choice(list(special) + ["xlog1py", "xlogy", "gammainc", "gammaincc", "zeta", "polygamma", "multigammaln", "ndtri", "logit"])
    s = base.shape(0, 2)
    if kind in special:
        x = p.input(s)
        if kind == "gammaln" and (x.t <= 0).any() or kind in ("log1p",) and (x.t <= -1).any() or kind == "entr" and (x.t <= 0).any():
            raise Skip  # Poles and borders are tested elsewhere.
        y = special[kind](x.t.detach() if kind in untracked else x.t)
        return Value(f"S.{kind}({x.js}{'.detach()' if kind in untracked else ''})", y, False), kind
    positive = lambda: rng.randint(1, 4096) / 1024
    if kind in ("gammainc", "gammaincc", "zeta"):
        a, b = p.input(s, make=positive), p.input(s, make=positive)
        first = a.t.detach() + (1.5 if kind == "zeta" else 0)
        y = getattr(torch.special, kind)(first, b.t.detach() if kind == "zeta" else b.t)
        return Value(f"S.{kind}({a.js}.detach().add({1.5 if kind == 'zeta' else 0}), {b.js}{'.detach()' if kind == 'zeta' else ''})", y, False), kind
    if kind in ("xlog1py", "xlogy"):
        a, b = p.input(s), p.input(s, make=positive)
        return Value(f"S.{kind}({a.js}, {b.js})", getattr(torch.special, kind)(a.t, b.t), False), kind
    if kind == "polygamma":
        n, x = rng.randint(0, 3), p.input(s, make=positive)
        return Value(f"S.polygamma({n}, {x.js})", torch.special.polygamma(n, x.t), False), kind
    if kind == "multigammaln":
        n, x = rng.randint(1, 3), p.input(s, make=positive)
        return Value(f"S.multigammaln({x.js}.add(1.5), {n})", torch.special.multigammaln(x.t + 1.5, n), False), kind
    x = p.input(s, make=lambda: rng.randint(20, 1000) / 1024)
    return Value(f"S.{kind}({x.js})", getattr(torch.special, kind)(x.t), False), kind


def root_matrices(p):
    plain(p)
    n, batch = rng.randint(0, 3), base.shape(0, 1)
    kind = rng.choice("cholesky svdvals eigvalsh solve solveTriangular pinv matrixExp matrixNorm vectorNorm qrR lstsq multiDot vecdot inv slogdet luSolve choleskySolve tensorsolve vander cond".split())
    if kind == "vectorNorm":
        x, q = p.input(base.shape(0, 3)), rng.choice([1, 2, 3, 0.5, math.inf, -math.inf])
        if x.t.numel() == 0 or (x.t == 0).any() or math.isinf(q) and x.t.abs().unique().numel() < x.t.numel():
            raise Skip  # Singular points are tested elsewhere.
        return Value(f"L.vectorNorm({x.js}, {str(q).replace('inf', 'Infinity')})", torch.linalg.vector_norm(x.t, q), False), kind
    if kind == "vecdot":
        s = base.shape(1, 2)
        x, y = p.input(s), p.input(s)
        return Value(f"L.vecdot({x.js}, {y.js})", torch.linalg.vecdot(x.t, y.t), False), kind
    if kind == "vander":
        x = p.input(batch + [rng.randint(1, 3)])
        return Value(f"L.vander({x.js}, {{ N: {n + 1} }})", torch.linalg.vander(x.t, N=n + 1), False), kind
    if kind == "multiDot":
        sizes = [rng.randint(1, 3) for _ in range(4)]
        ms = [p.input([sizes[i], sizes[i + 1]]) for i in range(3)]
        return Value(f"L.multiDot([{', '.join(m.js for m in ms)}])", torch.linalg.multi_dot([m.t for m in ms]), False), kind
    x = p.input(batch + [n, n])
    eye = torch.eye(n, dtype=x.t.dtype)
    if n and x.t.numel():
        s = torch.linalg.svdvals(x.t.detach().double())
        if s.min() < 0.3 or (s.diff().abs() < 0.1).any():
            raise Skip
    rhs = lambda: p.input(batch + [n, rng.randint(0, 2)])
    spd = lambda: (x.t @ x.t.mT + eye, f"{x.js}.matmul({x.js}.transpose(-1, -2)).add(g.eye({n}, {{ dtype: {x.js}.dtype }}))")
    if kind == "cholesky":
        t, j = spd()
        return Value(f"L.cholesky({j})", torch.linalg.cholesky(t), False), kind
    if kind == "choleskySolve":
        t, j = spd()
        b = rhs()
        return Value(f"L.choleskySolve({b.js}, L.cholesky({j}))", torch.cholesky_solve(b.t, torch.linalg.cholesky(t)), False), kind
    if kind == "eigvalsh":
        return Value(f"L.eigvalsh({x.js}.add({x.js}.transpose(-1, -2)))", torch.linalg.eigvalsh(x.t + x.t.mT), False), kind
    if kind == "solve":
        b = rhs()
        return Value(f"L.solve({x.js}, {b.js})", torch.linalg.solve(x.t, b.t), False), kind
    if kind == "luSolve":
        b = rhs()
        return Value(f"(() => {{ const {{ LU, pivots }} = L.luFactor({x.js}); return L.luSolve(LU, pivots, {b.js}); }})()", torch.linalg.solve(x.t, b.t), False), kind
    if kind == "solveTriangular":
        b, upper = rhs(), rng.random() < 0.5
        t = x.t.triu() if upper else x.t.tril()
        if n and x.t.numel() and t.diagonal(0, -2, -1).abs().min() < 0.3:
            raise Skip
        return Value(f"L.solveTriangular({x.js}, {b.js}, {{ upper: {js(upper)} }})", torch.linalg.solve_triangular(t, b.t, upper=upper), False), kind
    if kind == "lstsq":
        y = p.input(batch + [n + 1, n])
        b = p.input(batch + [n + 1, 2])
        if n == 0 or y.t.numel() == 0 or torch.linalg.svdvals(y.t.double()).min() < 0.3:
            raise Skip
        # By the normal equations, since 1.13's lstsq has a gradient only through pinv.
        return Value(f"L.lstsq({y.js}, {b.js}).solution", torch.linalg.pinv(y.t) @ b.t, False), kind
    if kind == "qrR":
        if x.t.numel() == 0:
            raise Skip
        r = torch.linalg.qr(x.t).R
        return Value(f"L.qr({x.js}).R.abs()", r.abs(), False), kind
    if kind == "matrixNorm":
        q = rng.choice(["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf])
        if x.t.numel() == 0:
            raise Skip
        return Value(f"L.matrixNorm({x.js}, {js(q).replace('inf', 'Infinity')})", torch.linalg.matrix_norm(x.t, q), False), kind
    if kind == "cond":
        if x.t.numel() == 0:
            raise Skip
        return Value(f"L.cond({x.js})", torch.linalg.cond(x.t), False), kind
    if kind == "tensorsolve":
        b = p.input([n])
        if batch:
            raise Skip
        return Value(f"L.tensorsolve({x.js}, {b.js})", torch.linalg.tensorsolve(x.t, b.t), False), kind
    if kind == "slogdet":
        return Value(f"L.slogdet({x.js}).logabsdet", torch.linalg.slogdet(x.t).logabsdet, False), kind
    name = {"matrixExp": "matrix_exp"}.get(kind, kind)
    return Value(f"L.{kind}({x.js})", getattr(torch.linalg, name)(x.t), False), kind


def root_distribution(p):
    """Log probabilities, entropies and divergences, with gradients for the parameters."""
    plain(p)
    s = base.shape(0, 2)
    real = lambda: p.input(s)
    positive = lambda: p.input(s, make=lambda: rng.randint(64, 3072) / 1024)
    inside = lambda: p.input(s, make=lambda: rng.randint(64, 960) / 1024)
    counts = lambda top: p.input(s, p.dtype, lambda: rng.randint(0, top))

    def make(kind):
        """PyTorch's, ours, and a value that it may have."""
        if kind in ("Normal", "Laplace", "LogNormal"):
            a, b = real(), positive()
            return getattr(dist, kind)(a.t, b.t), f"new D.{kind}({a.js}, {b.js})", positive
        if kind in ("Gamma", "Beta"):
            a, b = positive(), positive()
            return getattr(dist, kind)(a.t, b.t), f"new D.{kind}({a.js}, {b.js})", inside
        if kind in ("Exponential", "Chi2", "StudentT", "Poisson"):
            a = positive()
            return getattr(dist, kind)(a.t), f"new D.{kind}({a.js})", (lambda: counts(4)) if kind == "Poisson" else positive
        if kind == "Uniform":
            a = real()
            return dist.Uniform(a.t, a.t + 4), f"new D.Uniform({a.js}, {a.js}.add(4))", None
        if kind in ("Bernoulli", "Geometric"):
            by = rng.choice(["probs", "logits"])
            a = inside() if by == "probs" else real()
            return getattr(dist, kind)(**{by: a.t}), f"new D.{kind}({{ {by}: {a.js} }})", (lambda: counts(1)) if kind == "Bernoulli" else (lambda: counts(4))
        if kind == "Binomial":
            a = inside()
            return dist.Binomial(4, a.t), f"new D.Binomial(4, {{ probs: {a.js} }})", lambda: counts(4)
        a = p.input(s + [3], make=lambda: rng.randint(64, 3072) / 1024)
        if kind == "Dirichlet":
            return dist.Dirichlet(a.t), f"new D.Dirichlet({a.js})", None
        return dist.Categorical(logits=a.t), f"new D.Categorical({{ logits: {a.js} }})", lambda: p.input(s, torch.int32, lambda: rng.randrange(3))

    kind = rng.choice("Normal Laplace LogNormal Gamma Beta Exponential Chi2 StudentT Poisson Uniform Bernoulli Geometric Binomial Dirichlet Categorical".split())
    d, made, value = make(kind)
    what = rng.choice(["logProb", "entropy", "kl", "mean", "variance", "cdf"])
    if what == "logProb" and value:
        v = value()
        return Value(f"{made}.logProb({v.js})", d.log_prob(v.t), False), kind
    if what == "kl" and kind not in ("StudentT", "Uniform", "Chi2"):
        e, other, _ = make(kind)
        return Value(f"D.klDivergence({made}, {other})", dist.kl_divergence(d, e), False), kind
    if what == "entropy" and kind not in ("Poisson", "Binomial"):
        return Value(f"{made}.entropy()", d.entropy(), False), kind
    if what == "cdf" and kind in ("Normal", "Laplace", "Exponential", "LogNormal"):
        v = value()
        return Value(f"{made}.cdf({v.js})", d.cdf(v.t), False), kind
    if kind in ("Categorical", "StudentT"):
        raise Skip
    if what == "variance":
        return Value(f"{made}.variance", d.variance, False), kind
    return Value(f"{made}.mean", d.mean, False), kind


if __name__ == "__main__":
    base.main([root_volume, root_layer_conv, root_windows, root_windows, root_interpolate, root_planes, root_recurrent, root_attention, root_sequence_loss,
               root_special, root_matrices, root_distribution], 1)
