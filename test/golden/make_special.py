"""Writes special.jsonl: special functions, computed by PyTorch in float64, and some by scipy. Run: python3 make_special.py"""
import scipy.special, torch
from lines import case, f, write

S = torch.special
inf, nan = float("inf"), float("nan")
t = lambda *v: torch.tensor(v).double()
wide = t(-40, -26, -12.5, -3, -1, -0.5, -1e-3, 0, 1e-9, 0.3, 1, 2.4, 2.6, 5, 8.5, 17, 24.9, 25.1, 33, 60)
for ours, op in (("ndtr", "ndtr"), ("logNdtr", "log_ndtr"), ("i0", "i0"), ("i0e", "i0e"), ("i1", "i1"), ("i1e", "i1e")):
    case(f"special.{ours}(a)", getattr(S, op), wide)
    # i0 and i1 of infinity are NaN there, and infinite here.
    case(f"special.{ours}(a)", getattr(S, op), t(nan) if op in ("i0", "i1") else t(inf, nan), grad=False)
# 1.13 has no gradient of these, and only eight digits of their values, so scipy is used.
for ours, op in (("besselJ0", "j0"), ("besselJ1", "j1")):
    case(f"special.{ours}(a)", lambda a: torch.from_numpy(getattr(scipy.special, op)(a.numpy())), wide, grad=False)
# Nor of these; of infinity scipy has NaN for some, which are 0 there. Their gradients are checked by differences, with those of all operators.
ups = t(1e-300, 1e-9, 1e-3, 0.3, 0.99, 1.01, 1.99, 2.01, 5, 8.5, 17, 24.9, 25.1, 33, 60, 699, 1e4)
for ours, op in (("besselY0", "y0"), ("besselY1", "y1"), ("modifiedBesselK0", "k0"), ("modifiedBesselK1", "k1"), ("scaledModifiedBesselK0", "k0e"), ("scaledModifiedBesselK1", "k1e")):
    case(f"special.{ours}(a)", lambda a: torch.from_numpy(getattr(scipy.special, op)(a.numpy())), torch.cat([ups, t(0, -1, nan)]), grad=False)
case("special.sphericalBesselJ0(a)", lambda a: torch.from_numpy(scipy.special.spherical_jn(0, a.numpy())), torch.cat([wide, t(inf, -inf, nan)]), grad=False)
case("special.airyAi(a)", lambda a: torch.from_numpy(scipy.special.airy(a.numpy())[0]), torch.cat([wide, t(-11.2, -11.4, -7, 1.7, 100, -1e3, nan)]), grad=False)
case("special.erfcx(a)", S.erfcx, t(-5, -1, 0, 0.4, 1, 2.49, 2.51, 8, 60, 1e9))
case("special.ndtri(a)", S.ndtri, t(1e-300, 1e-20, 1e-5, 0.02, 0.3, 0.4999, 0.5, 0.7, 0.999, 1 - 1e-12))
case("special.ndtri(a)", lambda a: S.ndtri(a).detach(), t(0, 1, -1, 2, nan), grad=False)
case("special.entr(a)", S.entr, t(1e-3, 0.2, 1, 3))
case("special.entr(a)", lambda a: S.entr(a).detach(), t(0, -1, inf, nan), grad=False)
case("special.xlog1py(a, b)", S.xlog1py, t(0, 0, 1, -2, 3), t(-1, 2, 3, -0.5, 0))
case("special.xlog1py(a, b)", lambda a, b: S.xlog1py(a, b).detach(), t(0, 1), t(nan, -1), grad=False)
case("special.multigammaln(a, 3)", lambda a: S.multigammaln(a, 3), t(1.1, 2, 7.5, 40))
a, x = t(0.1, 0.5, 1, 3, 10, 50, 200, 3, 3, 3, 0.3), t(0.2, 0.1, 1, 2.9, 12, 45, 230, 0.01, 30, 4, 8)
for op in ("gammainc", "gammaincc"):
    fn = getattr(S, op)
    # PyTorch has no gradient for the first argument either.
    case(f"special.{op}(a.detach(), b)", lambda a, b: fn(a.detach(), b), a, x)
    case(f"special.{op}(a, b)", lambda a, b: fn(a, b).detach(), t(0, 0, 1, 1, 2, -1, 1, nan, inf), t(0, 2, 0, inf, 3, 1, -1, 1, 2), grad=False)
case("special.zeta(a.detach(), b)", lambda a, b: S.zeta(a.detach(), b), t(2, 1.5, 4, 1.1, 9, 2), t(1, 2, 0.3, 7, 12, 100))
case("special.zeta(a, b)", lambda a, b: S.zeta(a, b).detach(), t(1, 0.5, 2, 2, 3, 2.5, 30), t(2, 2, 0, -1.5, -2.5, -1.5, 2), grad=False)
write("special.jsonl")
