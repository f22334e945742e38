"""Writes more.jsonl: operators beyond ops.jsonl, computed by PyTorch in float64. Run: python3 make_ops.py"""
import torch
from lines import case, write

f = lambda *s: torch.randn(*s, dtype=torch.float64).float().double()  # what float32 holds too
i = lambda v: torch.tensor(v)
x, y, v, z = f(2, 3), f(2, 3), f(3), f(4, 5)
pos = x.abs() + 0.3
unit = torch.sigmoid(x)
nan = x.clone(); nan[0, 1] = float("nan")
zero = x.clone(); zero[0, 1] = 0; zero[1, 0] = 0; zero[1, 2] = 0
inf = float("inf")
for op in "erf erfc lgamma digamma sinc".split():
    case(f"a.{op}()", getattr(torch, op), torch.cat([x, pos * 3]))
case("a.erfc()", torch.erfc, i([0.5, 3.0, 6.0, -3.0]).double())
case("a.erfinv()", torch.erfinv, x.tanh())
case("a.logit()", torch.logit, unit)
case("a.logit({ eps: 0.4 })", lambda a: torch.logit(a, eps=0.4), unit)
case("a.polygamma(1)", lambda a: torch.polygamma(1, a), pos * 3)
case("a.polygamma(2)", lambda a: torch.polygamma(2, a), pos * 3)
for ours, op in [("logaddexp", "logaddexp"), ("hypot", "hypot"), ("copysign", "copysign"), ("fmax", "fmax"), ("fmin", "fmin")]:
    case(f"a.{ours}(b)", getattr(torch, op), x, v)
case("a.fmax(b)", torch.fmax, nan, v)
case("a.fmin(b)", torch.fmin, v, nan)
case("a.xlogy(b)", torch.xlogy, zero, pos)
case("a.heaviside(b)", lambda a, b: torch.heaviside(a, b).detach(), zero, v)
case("a.rad2deg()", torch.rad2deg, x)
case("a.deg2rad()", torch.deg2rad, x)
case("a.signbit()", torch.signbit, zero)
p, q = i([12, -8, 0, 7]), i([18, 12, 5, 0])
case("a.gcd(b)", torch.gcd, p, q)
case("a.lcm(b)", torch.lcm, p, q)
case("a.bitwiseNot()", torch.bitwise_not, p)
case("a.bitwiseLeftShift(b)", torch.bitwise_left_shift, q, i([1, 2, 0, 3]))
case("a.bitwiseRightShift(b)", torch.bitwise_right_shift, p, i([1, 2, 0, 3]))

# indexing
idx = i([[0, 0, 2], [1, 1, 1]])
case("a.at([1, 0, 1])", lambda a: a[[1, 0, 1]], x)
case("a.at(b)", lambda a, b: a[b], z, i([[0, -1], [2, 2]]))
case("a.at(b, c)", lambda a, b, c: a[b, c], z, i([[0], [2]]), i([1, 4, 1]))
w = f(2, 3, 4)
case("a.at(b, '...', c)", lambda a, b, c: a[b, :, c], w, i([0, 1, 1]), i([3, 0, 0]))
case("a.at('...', b, c)", lambda a, b, c: a[..., b, c], w, i([0, 2]), i([[3], [1]]))
case("a.at(core.slice(), b, null, core.slice(1, 3))", lambda a, b: a[:, b, None, 1:3], w, i([2, 2, 0]))
case("a.at(1, b, c)", lambda a, b, c: a[1, b, c], w, i([0, 2]), i([3, 1]))
case("a.at(b, 1, c)", lambda a, b, c: a[b, 1, c], w, i([0, 1]), i([3, 1]))
case("a.at(core.slice(), core.slice(0, 3, 2), core.slice(1, null, 2))", lambda a: a[:, 0:3:2, 1::2], w)
case("a.at(b)", lambda a, b: a[b], x, x > 0)
case("a.at(b, 1)", lambda a, b: a[b][:, 1], w, x > 0)
case("a.at(b, '...', c)", lambda a, b, c: a[b, ..., c], w, i([True, False]), i([0, 0, 2]))
case("a.at(b)", lambda a, b: a[b], x, x > 100)


def put(a, b, v):
    a[b] = v
    return a


case("a.clone().set(b, c)", put, x, x > 0, i(2.5).double())
case("a.clone().set(b, c)", put, z, i([0, 2]), f(2, 5))
case("a.clone().set(b, c)", put, z, i([3, 1, 0]), f(5))


def put2(a, v):
    a[:, [1, 3]] = v
    return a * a


case("a.mul(1).set(core.slice(), [1, 3], b).square()", put2, z, f(4, 2))
case("a.scatter(1, b, c)", lambda a, b, c: a.scatter(1, b, c), x, i([[0, 2], [1, 0]]), f(2, 2))
case("a.scatter(0, b, 7)", lambda a, b: a.scatter(0, b, 7.0), x, i([[0, 1, 1]]))
case("a.scatterAdd(1, b, c)", lambda a, b, c: a.scatter_add(1, b, c), x, idx, f(2, 3))
for r in ("sum", "mean", "amax", "amin"):
    for inc in ("true", "false"):
        case(f"a.scatterReduce(1, b, c, '{r}', {{ includeSelf: {inc} }})",
             lambda a, b, c: a.scatter_reduce(1, b, c, r, include_self=inc == "true"), x, idx, f(2, 3))
case("a.take(b)", torch.take, x, i([[0, 5], [-1, 5]]))
case("a.takeAlongDim(b, 1)", lambda a, b: torch.take_along_dim(a, b, 1), x, i([[2, 0, 0, 1]]))
case("a.maskedSelect(b)", torch.masked_select, x, v > 0)
case("a.maskedScatter(b, c)", lambda a, b, c: a.masked_scatter(b, c), x, x > 0, f(7))
case("a.indexFill(1, b, 3)", lambda a, b: a.index_fill(1, b, 3.0), x, i([0, 2]))
case("a.indexCopy(1, b, c)", lambda a, b, c: a.index_copy(1, b, c), x, i([2, 0]), f(2, 2))
case("a.nonzero()", lambda a: torch.nonzero(a).int(), zero)

# scans
case("a.cumprod(1)", lambda a: a.cumprod(1), x)
case("a.cumprod(1)", lambda a: a.cumprod(1), zero)
case("a.cumprod(0)", lambda a: a.cumprod(0), zero)
case("a.logcumsumexp(1)", lambda a: a.logcumsumexp(1), z * 20)
for op in ("cummax", "cummin"):
    case(f"((r) => [r.values, r.indices])(a.{op}(1))", lambda a: [getattr(a, op)(1)[0], getattr(a, op)(1)[1].int()], z)
case("a.diff()", torch.diff, z)
case("a.diff({ n: 2, dim: 0, prepend: b })", lambda a, b: torch.diff(a, n=2, dim=0, prepend=b), z, f(1, 5))

# shapes
sq = f(2, 3, 4)
case("a.diagonal(1, 0, 2).mul(2)", lambda a: a.diagonal(1, 0, 2) * 2, sq)
case("a.diagonal(-1, 2, 1)", lambda a: a.diagonal(-1, 2, 1), sq)
case("a.diagEmbed(1)", lambda a: torch.diag_embed(a, 1), x)
case("a.diagEmbed(-1, 0, 2)", lambda a: torch.diag_embed(a, -1, 0, 2), x)
case("a.diagEmbed(0, 2, 0)", lambda a: torch.diag_embed(a, 0, 2, 0), x)
case("a.diag()", torch.diag, v)
case("a.diag(1)", lambda a: torch.diag(a, 1), z)
for k in range(-1, 4):
    case(f"a.rot90({k})", lambda a: torch.rot90(a, k), x)
case("a.rot90(1, [1, 2])", lambda a: torch.rot90(a, 1, [1, 2]), sq)
case("a.tile(2, 2)", lambda a: a.tile(2, 2), sq)
case("a.unfold(1, 3, 2)", lambda a: a.unfold(1, 3, 2), z)
case("core.vstack([a, b])", lambda a, b: torch.vstack([a, b]), v, x)
case("core.hstack([a, b])", lambda a, b: torch.hstack([a, b]), x, f(2, 1))
case("core.hstack([a, b])", lambda a, b: torch.hstack([a, b]), v, f(2))
case("core.dstack([a, b])", lambda a, b: torch.dstack([a, b]), x, y)
case("core.blockDiag(a, b, c)", lambda *a: torch.block_diag(*a), x, v, f(2, 1))
case("core.cartesianProd(a, b)", torch.cartesian_prod, v, f(2))
case("core.combinations(a, 2)", torch.combinations, f(4))
case("core.combinations(a, 3, { withReplacement: true })", lambda a: torch.combinations(a, 3, True), v)
case("[core.trilIndices(3, 4, 1), core.triuIndices(3, 4, -1)]", lambda: [torch.tril_indices(3, 4, 1), torch.triu_indices(3, 4, -1)])

# statistics
case("[a.nansum(1), a.nanmean(0), a.nanmedian(1).values]", lambda a: [a.nansum(1), a.nanmean(0), a.nanmedian(1)[0]], nan)
case("a.countNonzero(1)", lambda a: torch.count_nonzero(a, 1), zero)
case("a.varMean(1)", lambda a: torch.var_mean(a, 1), x)
case("a.stdMean(0, { correction: 0 })", lambda a: torch.std_mean(a, 0, unbiased=False), x)
case("((r) => [r.min, r.max])(a.aminmax(1))", lambda a: torch.aminmax(a.detach(), dim=1), x)
case("((r) => [r.values, r.indices])(a.kthvalue(2, 0))", lambda a: [a.kthvalue(2, 0)[0], a.kthvalue(2, 0)[1].int()], z)
case("((r) => [r.values, r.indices])(a.median(1))", lambda a: [a.median(1)[0], a.median(1)[1].int()], nan)
case("[a.median(), a.median(0, { keepdim: true }).values]", lambda a: [a.median(), a.median(0, keepdim=True)[0]], z)
m = i([[3, 1, 3, 2, 1], [2, 2, 5, 5, 1]]).double()
case("a.mode(1).values", lambda a: a.mode(1)[0], m)
for how in "linear lower higher nearest midpoint".split():
    case(f"a.quantile(0.4, 1, {{ interpolation: '{how}' }})", lambda a: a.quantile(0.4, 1, interpolation=how), z)
case("a.quantile([0, 0.3, 1])", lambda a: a.quantile(i([0, 0.3, 1.0]).double()), z)
case("a.quantile(0.5, 1, { keepdim: true })", lambda a: a.quantile(0.5, 1, keepdim=True), nan)
case("a.cov()", torch.cov, x)
case("a.corrcoef()", torch.corrcoef, z)
case("a.dist(b, 3)", lambda a, b: torch.dist(a, b, 3), x, y)
for pp in (1, 2, 3):
    case(f"core.cdist(a, b, {pp})", lambda a, b: torch.cdist(a, b, pp), sq, f(2, 5, 4))

# sets
vals = i([3.0, 1, 2, 3, 1, 1]).double()
case("((r) => [r.values, r.inverse, r.counts])(a.unique())", lambda a: [t.detach() for t in torch.unique(a, return_inverse=True, return_counts=True)], vals)
case("((r) => [r.values, r.inverse, r.counts])(a.uniqueConsecutive())", lambda a: [t.detach() for t in torch.unique_consecutive(a, return_inverse=True, return_counts=True)], i([1, 1, 2, 3, 3, 1]))
rows = i([[1, 2, 1], [0, 1, 0], [1, 2, 1]])
case("((r) => [r.values, r.inverse, r.counts])(a.unique({ dim: 0 }))", lambda a: list(torch.unique(a, dim=0, return_inverse=True, return_counts=True)), rows)
case("((r) => [r.values, r.inverse, r.counts])(a.unique({ dim: 1 }))", lambda a: list(torch.unique(a, dim=1, return_inverse=True, return_counts=True)), rows)
case("[a.bincount(), a.bincount({ minlength: 9 })]", lambda a: [a.bincount(), a.bincount(minlength=9)], i([1, 3, 3, 0]))
case("a.bincount({ weights: b })", lambda a, b: a.bincount(b.detach()), i([1, 3, 3]), v)
case("[a.histc({ bins: 4 }), a.histc({ bins: 3, min: -1, max: 1 })]", lambda a: [a.detach().histc(4), a.detach().histc(3, -1, 1)], z)
edges = i([0.0, 1, 1, 3])
case("[core.searchsorted(a, b), core.searchsorted(a, b, { right: true })]", lambda a, b: [torch.searchsorted(a.detach(), b.detach()), torch.searchsorted(a.detach(), b.detach(), right=True)], edges, i([[1.0, 0.5], [4, -1]]))
case("core.searchsorted(a, b)", lambda a, b: torch.searchsorted(a, b), i([[0, 2, 4], [1, 3, 5]]), i([[2, 3], [2, 3]]))
case("a.bucketize(b, { right: true })", lambda a, b: torch.bucketize(a.detach(), b.detach(), right=True), vals, edges)
case("[a.isin(b), a.isin(b, { invert: true })]", lambda a, b: [torch.isin(a, b), torch.isin(a, b, invert=True)], i([[1, 2], [3, 4]]), i([2, 4, 7]))

# products and linear algebra
A, B = f(2, 4), f(4, 3)
case("a.addmm(b, c, { beta: 0.5, alpha: 2 })", lambda a, b, c: torch.addmm(a, b, c, beta=0.5, alpha=2), v, A, B)
case("a.addmm(b, c, { beta: 0 })", lambda a, b, c: torch.addmm(a, b, c, beta=0), x, A, B)
case("a.addmv(b, c)", torch.addmv, f(2), A, f(4))
case("a.addr(b, c, { alpha: 3 })", lambda a, b, c: torch.addr(a, b, c, alpha=3), x, f(2), v)
case("a.baddbmm(b, c)", torch.baddbmm, f(2, 3, 2), sq, f(2, 4, 2))
case("a.addbmm(b, c)", torch.addbmm, f(3, 2), sq, f(2, 4, 2))
case("a.mv(b)", torch.mv, A, f(4))
case("a.kron(b)", torch.kron, x, f(2, 1, 2))
case("a.tensordot(b, 1)", lambda a, b: torch.tensordot(a, b, 1), sq, f(4, 2))
case("a.tensordot(b, [[0, 2], [1, 0]])", lambda a, b: torch.tensordot(a, b, ([0, 2], [1, 0])), sq, f(4, 2, 5))
case("a.cross(b)", lambda a, b: torch.cross(a, b, dim=-1), x, y)
S = f(2, 3, 3)
case("a.solve(b)", torch.linalg.solve, S, f(2, 3, 2))
case("a.solve(b)", torch.linalg.solve, f(3, 3), v)
case("a.inverse()", torch.inverse, S)
case("a.det()", torch.det, S)
case("((r) => [r.sign, r.logabsdet])(a.slogdet())", lambda a: [torch.slogdet(a)[0].detach(), torch.slogdet(a)[1]], S)
case("a.matmul(a.transpose(-1, -2)).add(core.eye(3, { dtype: a.dtype })).cholesky()", lambda a: torch.linalg.cholesky(a @ a.mT + torch.eye(3)), S)
for n in (-2, 0, 1, 3):
    case(f"a.matrixPower({n})", lambda a: torch.matrix_power(a if n else a.detach(), n), S)

# NaN, infinities, zeros of both signs, the smallest and the largest values
edge = i([float("nan"), inf, -inf, 0.0, -0.0, 1e-30, -1e-30, 1e30, 1.0, -1.0, 0.5, 2.5, -2.5])
no_grad = lambda fn: lambda *a: (lambda r: [t.detach() for t in r] if isinstance(r, (list, tuple)) else r.detach())(fn(*a))
for op in """neg exp log sqrt square abs sign tanh sigmoid relu expm1 exp2 log1p log2 log10 rsqrt reciprocal sin cos tan asin acos
             atan sinh cosh asinh acosh atanh floor ceil trunc round frac erf erfc isnan isinf isfinite sinc logicalNot""".split():
    name = {"logicalNot": "logical_not"}.get(op, op)
    case(f"a.{op}()", no_grad(getattr(torch, name)), edge)
F = torch.nn.functional
for op, fn in [("silu", F.silu), ("gelu", F.gelu), ("softplus", F.softplus), ("elu", F.elu), ("leakyRelu", F.leaky_relu),
               ("logSigmoid", F.logsigmoid), ("softsign", F.softsign), ("mish", F.mish), ("hardtanh", F.hardtanh), ("hardswish", F.hardswish)]:
    case(f"core.{op}(a)", no_grad(fn), edge)
for op in "add sub mul div maximum minimum eq ne lt le gt ge fmax fmin atan2 hypot logaddexp copysign remainder fmod pow".split():
    case(f"a.unsqueeze(1).{op}(b)", no_grad(lambda a, b: getattr(torch, op)(a[:, None], b)), edge, edge)
case("a.clamp(-1, 2)", no_grad(lambda a: a.clamp(-1, 2)), edge)
case("a.nanToNum({ nan: 7 })", no_grad(lambda a: torch.nan_to_num(a.float(), 7.0).double()), edge)
two = torch.stack([edge, edge.flip(0), torch.ones(13)])
for op in "sum mean prod amax amin logsumexp argmax argmin any all".split():
    case(f"a.narrow(1, 3, 10).{op}(0)", no_grad(lambda a: getattr(a[:, 3:], op)(0)), two)
case("a.softmax(0)", no_grad(lambda a: a.softmax(0)), two)
case("a.logSoftmax(0)", no_grad(lambda a: a.log_softmax(0)), two)
case("a.cumsum(1)", no_grad(lambda a: a.cumsum(1)), two)
case("((r) => [r.values, r.indices])(a.sort(1))", no_grad(lambda a: torch.sort(a, stable=True, dim=1)), two)
case("((r) => [r.values, r.indices])(a.max(1))", no_grad(lambda a: a.max(1)), two)

# no elements, and no dimensions
none, point = torch.zeros(0, 3, dtype=torch.float64), i(2.5).double()
for op in "sum mean prod std var logsumexp any all".split():
    case(f"a.{op}(0)", no_grad(lambda a: getattr(a, op)(0)), none)
    case(f"a.{op}(1)", no_grad(lambda a: getattr(a, op)(1)), none)
for op in "sum mean prod".split():
    case(f"a.{op}()", getattr(torch, op), none)
    case(f"a.{op}()", getattr(torch, op), point)
case("a.softmax(0)", lambda a: a.softmax(0), point)
case("a.matmul(b)", torch.matmul, none, f(3, 2))
case("a.matmul(b)", torch.matmul, f(2, 0), f(0, 3))
case("a.matmul(b)", torch.matmul, f(2, 0, 4), f(4, 3))
case("core.cat([a, b])", lambda a, b: torch.cat([a, b]), none, x)
case("core.stack([a, b])", lambda a, b: torch.stack([a, b]), none, none)
case("a.add(b)", torch.add, none, v)
case("a.add(b)", torch.add, point, x)
case("core.where(a.gt(0), a, b)", lambda a, b: torch.where(a > 0, a, b), none, v)
case("a.reshape(3, 0)", lambda a: a.reshape(3, 0), none)
case("a.indexSelect(0, b)", lambda a, b: a.index_select(0, b), x, torch.zeros(0, dtype=torch.int64))
case("a.at(b)", lambda a, b: a[b], x, torch.zeros(0, dtype=torch.int64))
case("core.linear(a, b, c)", F.linear, none, f(2, 3), f(2))
case("core.conv2d(a, b)", F.conv2d, f(0, 2, 4, 4), f(3, 2, 2, 2))
case("a.cumsum(0)", lambda a: a.cumsum(0), none)
case("a.sort(0).values", lambda a: a.sort(0)[0], none)
case("a.norm()", lambda a: a.norm(), none)
case("a.transpose(0, 1)", lambda a: a.transpose(0, 1), none)
case("a.clone().set(b, c)", put, x, x > 100, i(1.0).double())
write("more.jsonl")
