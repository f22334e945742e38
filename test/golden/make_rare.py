"""Writes rare.jsonl: functions of core/more, and polynomials of core/special, in the form of lines.py. Python's PyTorch 1.13. Run: python3 make_rare.py"""
import torch
from lines import case, f, write

nan, inf = float("nan"), float("inf")
t = lambda *v: torch.tensor(v, dtype=torch.float64)
y, x = f(3, 5), f(5).sort().values
for ours, op in (("trapezoid", torch.trapezoid), ("cumulativeTrapezoid", torch.cumulative_trapezoid)):
    case(f"more.{ours}(a)", op, y)
    case(f"more.{ours}(a, {{ dx: 0.3, dim: 0 }})", lambda a: op(a, dx=0.3, dim=0), y)
    case(f"more.{ours}(a, {{ x: b }})", lambda a, b: op(a, b), y, x)
    case(f"more.{ours}(a, {{ x: b, dim: 0 }})", lambda a, b: op(a, b, dim=0), y, f(3, 5))
    case(f"more.{ours}(a)", op, f(2, 1))
z = t(3, nan, 1, 2, nan, -1, 5, 0, nan, nan, nan, nan).reshape(3, 4)
for mode in ("linear", "lower", "higher", "nearest", "midpoint"):
    for q in (0.0, 0.3, 0.5, 0.9):
        # NaN has no gradient to compare.
        case(f"more.nanquantile(a, {q}, 1, {{ interpolation: '{mode}' }})", lambda a: a.nanquantile(q, 1, interpolation=mode), z, grad=False)
case("more.nanquantile(a, [0.2, 0.7], 0, { keepdim: true })", lambda a: a.nanquantile(t(0.2, 0.7), 0, keepdim=True), z, grad=False)
case("more.nanquantile(a, 0.4)", lambda a: a.nanquantile(0.4), z, grad=False)
case("more.nanquantile(a, 0.4, 1)", lambda a: a.nanquantile(0.4, 1), f(3, 6))
for p in (1, 2, 3.5):
    case(f"more.renorm(a, {p}, 0, 1.2)", lambda a: a.renorm(p, 0, 1.2), f(4, 2, 3))
    case(f"more.renorm(a, {p}, -1, 0.7)", lambda a: a.renorm(p, -1, 0.7), f(4, 3))
for mode in ("use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist", "use_mm_for_euclid_dist_if_necessary"):
    ours = "".join(w if k == 0 else w.capitalize() for k, w in enumerate(mode.split("_")))
    for rows in (3, 30):
        case(f"more.cdist(a, b, 2, {{ computeMode: '{ours}' }})", lambda a, b: torch.cdist(a, b, 2.0, mode), f(rows, 3), f(2, 4, 3))
case("more.cdist(a, b, 1.5)", lambda a, b: torch.cdist(a, b, 1.5), f(2, 30, 3), f(4, 3))
odd = t(6, -1, 0, 0.1, 1 / 3, 2**60, 5e-324, -2.5e-310, 1.7976931348623157e308, 1 - 2**-53, 4)
case("more.frexp(a).mantissa", lambda a: torch.frexp(a).mantissa.detach(), odd, grad=False)
case("more.frexp(a).exponent", lambda a: torch.frexp(a).exponent, odd, grad=False)
case("more.frexp(a).mantissa", lambda a: torch.frexp(a).mantissa, t(6, -1, 0.1, 100))
case("more.ldexp(a, b)", torch.ldexp, f(4), t(3, -2, 0, 10))
case("more.nextafter(a, b)", lambda a, b: torch.nextafter(a, b).detach(), t(1, 1, 0, 0, -3, 2, nan, 1, 5e-324), t(2, -2, 1, -1, inf, 2, 1, nan, -1), grad=False)
i = torch.tensor([[0, 2, 0, 1], [1, 1, 1, 0]])
for inc in (True, False):
    js = f"{{ includeSelf: {'true' if inc else 'false'} }}"
    case(f"more.scatterReduce(a, 1, b, c, 'prod', {js})", lambda a, b, c: a.scatter_reduce(1, b.long(), c, "prod", include_self=inc), f(2, 3), i.int(), f(2, 4))
    for how in ("prod", "mean", "amax", "amin"):
        # 1.13's gradient of 'prod' is wrong for some zeros; there are none here.
        k = torch.tensor([2, 0, 2], dtype=torch.int32)
        case(f"more.indexReduce(a, 0, b, c, '{how}', {js})", lambda a, b, c: a.index_reduce(0, b.long(), c, how, include_self=inc), f(4, 2), k, f(3, 2))
h = t(1, 2, 1, 0.5, 3, 2.25, 0.75, -1, 4, 3)
case("(({ hist, binEdges }) => [hist, binEdges])(more.histogram(a, 4, { range: [0, 3] }))", lambda a: [o.detach() for o in torch.histogram(a, 4, range=(0.0, 3.0))], h, grad=False)
case("(({ hist, binEdges }) => [hist, binEdges])(more.histogram(a, 7))", lambda a: [o.detach() for o in torch.histogram(a, 7)], h, grad=False)
case("more.histogram(a, b, { density: true }).hist", lambda a, b: torch.histogram(a, b, density=True).hist, h, t(-1, 0, 0.75, 3), grad=False)
case("more.histogram(a, 5, { weight: b }).hist", lambda a, b: torch.histogram(a, 5, weight=b).hist, h, f(10), grad=False)
points = f(40, 2)
case("(({ hist, binEdges }) => [hist, ...binEdges])(more.histogramdd(a, [3, 4]))", lambda a: [(r := torch.histogramdd(a, [3, 4])).hist, *r.bin_edges], points, grad=False)
case("more.histogramdd(a, [3, 2], { range: [[-1, 1], [0, 2]], weight: b, density: true }).hist", lambda a, b: torch.histogramdd(a, [3, 2], range=[-1.0, 1.0, 0.0, 2.0], weight=b, density=True).hist, points, f(40).abs(), grad=False)
S, v = torch.special, t(-1.5, -1, -0.3, 0, 0.45, 1, 2)
for ours, op in (
    ("chebyshevPolynomialT", S.chebyshev_polynomial_t), ("chebyshevPolynomialU", S.chebyshev_polynomial_u),
    ("chebyshevPolynomialV", S.chebyshev_polynomial_v), ("chebyshevPolynomialW", S.chebyshev_polynomial_w),
    ("hermitePolynomialH", S.hermite_polynomial_h), ("hermitePolynomialHe", S.hermite_polynomial_he),
    ("laguerrePolynomialL", S.laguerre_polynomial_l), ("legendrePolynomialP", S.legendre_polynomial_p),
    ("shiftedChebyshevPolynomialT", S.shifted_chebyshev_polynomial_t), ("shiftedChebyshevPolynomialU", S.shifted_chebyshev_polynomial_u),
    ("shiftedChebyshevPolynomialV", S.shifted_chebyshev_polynomial_v), ("shiftedChebyshevPolynomialW", S.shifted_chebyshev_polynomial_w),
):
    for n in (0, 1, 2, 5):
        case(f"special.{ours}(a, {n})", lambda a: op(a, n), v, grad=False)
write("rare.jsonl")
