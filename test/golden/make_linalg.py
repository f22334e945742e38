"""Writes linalg.jsonl: linear algebra, computed by PyTorch in float64. Run: python3 make_linalg.py"""
import torch
from lines import case, f, write

L = torch.linalg
inf = float("inf")
sym = "a.add(a.transpose(-1, -2))"
s = lambda a: a + a.mT
square, tall, wide, batch = f(4, 4), f(5, 3), f(3, 5), f(2, 3, 3)

# Vectors are unique up to their sign, so combinations of them are compared.
case(f"((r) => [r.eigenvalues, r.eigenvectors.square()])(linalg.eigh({sym}))", lambda a: (lambda l, v: [l, v ** 2])(*L.eigh(s(a))), batch)
case(f"((r) => [r.eigenvalues, r.eigenvectors.square()])(linalg.eigh({sym}))", lambda a: (lambda l, v: [l, v ** 2])(*L.eigh(s(a))), f(12, 12))
case("linalg.eigvalsh(a)", lambda a: L.eigvalsh(a).detach(), square, grad=False)
case("linalg.eigvalsh(a, { UPLO: 'U' })", lambda a: L.eigvalsh(a, UPLO="U").detach(), square, grad=False)
parts = lambda t: [t.real, t.imag.abs()]
key = "const order = core.argsort(v.real().mul(1e3).add(v.imag())); const pick = (t) => t.indexSelect(-1, order);"


def eig(a):
    l, v = L.eig(a)
    order = torch.argsort(l.real * 1e3 + l.imag)
    return [l.real[order], l.imag[order], (v.real ** 2 + v.imag ** 2)[:, order]]


js = f"((r) => {{ const v = r.eigenvalues; {key} const w = r.eigenvectors; return [pick(v.real()), pick(v.imag()), pick(w.real().square().add(w.imag().square()))]; }})(linalg.eig(a))"
for n in (2, 3, 5, 9, 16):
    case(js, eig, f(n, n))
case(js, eig, torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 2]]).double())
case(js, eig, torch.tensor([[0.0, 0, 0, 0, 1], [1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]]).double())
case("((v) => { " + key + " return [pick(v.real()), pick(v.imag())]; })(linalg.eigvals(a))",
     lambda a: (lambda l, o: [l.real[o], l.imag[o]])(*(lambda l: (l, torch.argsort(l.real * 1e3 + l.imag)))(L.eigvals(a))), f(7, 7))
reduced = "((r) => [r.U.square(), r.S, r.Vh.square(), r.U.matmul(r.Vh)])(linalg.svd(a, { fullMatrices: false }))"
for a in (tall, wide, square, batch, f(20, 8)):
    case(reduced, lambda a: (lambda u, s, v: [u ** 2, s, v ** 2, u @ v])(*L.svd(a, full_matrices=False)), a)
case("linalg.svd(a).S", lambda a: L.svd(a).S, wide)
case("linalg.svdvals(a)", L.svdvals, tall)
# PyTorch's reflections have LAPACK's signs, and so have ours.
for a in (tall, wide, square, batch):
    case("((r) => [r.Q, r.R])(linalg.qr(a))", L.qr, a)
case("((r) => [r.Q, r.R])(linalg.qr(a, { mode: 'complete' }))", lambda a: L.qr(a, mode="complete"), wide)
case("((r) => [r.Q, r.R])(linalg.qr(a, { mode: 'complete' }))", lambda a: [x.detach() for x in L.qr(a, mode="complete")], tall, grad=False)
case("((r) => [r.R])(linalg.qr(a, { mode: 'r' }))", lambda a: [L.qr(a, mode="r").R.detach()], tall, grad=False)
for a in (tall, wide, square, batch):
    case("((r) => [r.P, r.L, r.U])(linalg.lu(a))", L.lu, a)
    case("((r) => [r.LU, r.pivots])(linalg.luFactor(a))", L.lu_factor, a)
case("linalg.luSolve(linalg.luFactor(a).LU, linalg.luFactor(a).pivots, b)", lambda a, b: L.lu_solve(*L.lu_factor(a), b), batch, f(2, 3, 2))
for up in (True, False):
    for left in (True, False):
        for ones in (True, False):
            b = f(4, 2) if left else f(2, 4)
            case(f"linalg.solveTriangular(a, b, {{ upper: {str(up).lower()}, left: {str(left).lower()}, unitriangular: {str(ones).lower()} }})",
                 lambda a, b: L.solve_triangular(a, b, upper=up, left=left, unitriangular=ones), square, b)
case("linalg.solveTriangular(a, b, { upper: true })", lambda a, b: L.solve_triangular(a, b, upper=True), batch, f(3, 2))
low = lambda a: a @ a.mT + 2 * torch.eye(3).double()
jlow = "a.matmul(a.transpose(-1, -2)).add(core.eye(3, { dtype: 'float64' }).mul(2))"
case(f"linalg.choleskySolve(b, core.cholesky({jlow}))", lambda a, b: torch.cholesky_solve(b, L.cholesky(low(a))), f(3, 3), f(3, 2))
case(f"linalg.choleskyInverse(core.cholesky({jlow}))", lambda a: torch.cholesky_inverse(L.cholesky(low(a))), f(3, 3))
case("linalg.logdet(a)", torch.logdet, low(f(3, 3)))
case("linalg.logdet(a)", lambda a: torch.logdet(a).detach(), torch.diag(torch.tensor([1.0, -1])).double(), grad=False)
for a in (tall, wide, square, batch, tall @ wide):
    case("linalg.pinv(a)", L.pinv, a)
case(f"linalg.pinv({sym}, {{ hermitian: true }})", lambda a: L.pinv(s(a), hermitian=True), batch)
case("linalg.pinv(a, { rtol: 0.5 })", lambda a: L.pinv(a, rtol=0.5).detach(), square, grad=False)
case("linalg.matrixRank(a)", L.matrix_rank, tall @ wide)
case("linalg.matrixRank(a, { atol: 1 })", lambda a: L.matrix_rank(a, atol=1.0), square)
case("linalg.matrixRank(a, { rtol: 0.3 })", lambda a: L.matrix_rank(a, rtol=0.3), batch)
case(f"linalg.matrixRank({sym}, {{ hermitian: true }})", lambda a: L.matrix_rank(s(a), hermitian=True), square)
case("((r) => [r.solution, r.residuals])(linalg.lstsq(a, b))", lambda a, b: (lambda x: [x, ((a @ x - b) ** 2).sum(0)])(L.lstsq(a, b, driver="gelsd").solution), tall, f(5, 2))
case("((r) => [r.solution, r.residuals, r.rank, r.singularValues])(linalg.lstsq(a, b))",
     lambda a, b: (lambda r: [r.solution.detach(), r.residuals.detach(), r.rank, r.singular_values.detach()])(L.lstsq(a, b, driver="gelsd")), tall, f(5, 2), grad=False)
case("linalg.lstsq(a, b).solution", lambda a, b: L.lstsq(a, b, driver="gelsd").solution, wide, f(3, 2))
case("linalg.householderProduct(a, b)", L.householder_product, tall, f(2))
case("linalg.householderProduct(a, b)", L.householder_product, f(2, 4, 3), f(2, 3))
for a in (square, batch, square * 8, square * 0.01):
    case("linalg.matrixExp(a)", L.matrix_exp, a)
case("linalg.multiDot([a, b, c, d])", lambda *t: L.multi_dot(t), f(5), f(5, 2), f(2, 7), f(7))
case("linalg.multiDot([a, b, c])", lambda *t: L.multi_dot(t), f(5, 2), f(2, 7), f(7, 3))
case("linalg.vander(a)", L.vander, f(2, 3))
case("linalg.vander(a, { N: 5 })", lambda a: L.vander(a, N=5), f(3))
case("linalg.vecdot(a, b, { dim: 0 })", lambda a, b: (a * b).sum(0), f(3, 2), f(3, 1))
case("linalg.tensorinv(a, { ind: 1 })", lambda a: L.tensorinv(a, ind=1), f(6, 2, 3))
case("linalg.tensorsolve(a, b)", L.tensorsolve, f(2, 3, 6), f(2, 3))
case("linalg.tensorsolve(a, b, { dims: [0] })", lambda a, b: L.tensorsolve(a, b, dims=(0,)), f(6, 2, 3), f(2, 3))
for ord in (0, 1, 2, 3.5, -1, inf, -inf):
    name = str(ord).replace("inf", "Infinity")
    # The gradient of a count is None there and 0 here.
    case(f"linalg.vectorNorm(a, {name})", lambda a: L.vector_norm(a, ord), tall, grad=ord != 0)
    case(f"linalg.vectorNorm(a, {name}, 0, {{ keepdim: true }})", lambda a: L.vector_norm(a, ord, 0, keepdim=True), tall, grad=ord != 0)
for ord in ("fro", "nuc", 1, -1, 2, -2, inf, -inf):
    name = f"'{ord}'" if isinstance(ord, str) else str(ord).replace("inf", "Infinity")
    case(f"linalg.matrixNorm(a, {name})", lambda a: L.matrix_norm(a, ord), tall)
    case(f"linalg.norm(a, {name}, [2, 0], {{ keepdim: true }})", lambda a: L.norm(a, ord, (2, 0), keepdim=True), f(2, 3, 4))
    # 1.13's backward pass of cond fails for norms that need the inverse, so it is computed by its formula.
    case(f"linalg.cond(a, {name})", lambda a: L.norm(a, ord) * L.norm(L.inv(a), ord) if ord not in (2, -2) else L.cond(a, ord), square)
case("linalg.norm(a)", L.norm, batch)
case("linalg.norm(a, null, [0, 1])", lambda a: L.norm(a, None, (0, 1)), batch)
case("linalg.norm(a, 1, 1)", lambda a: L.norm(a, 1, 1), batch)
case("linalg.cond(a)", L.cond, batch)
case("linalg.cond(a, 1)", lambda a: L.cond(a, 1).detach(), torch.ones(2, 2).double(), grad=False)
# Indefinite, with blocks of two rows; the factors have no gradient there either.
ldl_of = lambda a: (lambda r: [r.LD.detach().tril(), r.pivots])(L.ldl_factor(s(a)))
for a in (square, batch, f(12, 12), f(1, 1), torch.tensor([[0.0, 1, 2], [0, 0, 3], [0, 0, 0]]).double()):
    case(f"((r) => [r.LD, r.pivots])(linalg.ldlFactor({sym}))", ldl_of, a, grad=False)
for a, b in ((square, f(4, 3)), (batch, f(2, 3, 2)), (f(12, 12), f(12, 1))):
    factors = L.ldl_factor(s(a))
    case("linalg.ldlSolve(a, b.int(), c)", lambda ld, p, b: torch.linalg.solve(s(a), b).detach(), factors.LD.tril(), factors.pivots.double(), b, grad=False)
write("linalg.jsonl")
