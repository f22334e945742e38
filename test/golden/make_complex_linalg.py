"""Writes complex_linalg.json: decompositions of complex matrices, with gradients, in the form of complex.json.

    python3 test/golden/make_complex_linalg.py > test/golden/complex_linalg.json
"""
import contextlib
import io
import json
import torch

# The same dumps and the same loss; what that script prints is its own file.
with contextlib.redirect_stdout(io.StringIO()):
    from make_complex import cases, case, z
cases.clear()
torch.manual_seed(2)
L = torch.linalg


def positive(x):
    """Hermitian, with eigenvalues above 0 that differ."""
    return x @ x.mH + torch.diag(torch.arange(1, x.shape[-1] + 1).to(x.real.dtype)).to(x.dtype)


def hermitian(x):
    return x + x.mH


def modulus(r):
    """What does not depend on the phases of vectors, which are free."""
    return r.abs()


for shape in ((3, 3), (2, 4, 4)):
    a, b = z(*shape), z(*shape[:-1], 2)
    case("inv", L.inv, a)
    case("det", L.det, a)
    case("slogdet sign", lambda x: L.slogdet(x)[0], a)
    case("slogdet logabsdet", lambda x: L.slogdet(x)[1], a)
    case("logdet", torch.logdet, a)
    case("solve", L.solve, a, b)
    case("solve right", lambda x, y: L.solve(x.mT, y).mT, a, b)
    case("matrixExp", L.matrix_exp, a)
    case("matrixPower 3", lambda x: L.matrix_power(x, 3), a)
    case("matrixPower -2", lambda x: L.matrix_power(x, -2), a)
    case("cholesky", lambda x: L.cholesky(positive(x)), a)
    case("cholesky upper", lambda x: L.cholesky(positive(x), upper=True), a)
    case("solveTriangular upper", lambda x, y: L.solve_triangular(x, y, upper=True), a, b)
    case("solveTriangular lower right unit", lambda x, y: L.solve_triangular(x, y.mT.contiguous(), upper=False, left=False, unitriangular=True), a, b)
    case("eigvalsh", lambda x: L.eigvalsh(hermitian(x)), a)
    case("eigh vectors", lambda x: modulus(L.eigh(hermitian(x))[1]), a)
    case("eigh of the upper triangle", lambda x: L.eigvalsh(x.triu(1) + hermitian(x), UPLO="U"), a)
    case("eigh and back", lambda x: (lambda r: (r[1] * r[0].sin().unsqueeze(-2)) @ r[1].mH)(L.eigh(hermitian(x))), a)
    case("eigvals", lambda x: L.eigvals(x).abs().sort(-1)[0], a)
    case("eig vectors", lambda x: modulus(L.eig(x)[1]).sum(-1), a)
    case("luFactor", lambda x: L.lu_factor(x)[0], a)
    case("luSolve", lambda x, y: torch.lu_solve(y, *L.lu_factor(x)), a, b)
    case("cond 1", lambda x: L.matrix_norm(x, 1) * L.matrix_norm(L.inv(x), 1), a)
    case("choleskySolve", lambda x, y: torch.cholesky_solve(y, L.cholesky(positive(x))), a, b)
for shape in ((3, 3), (4, 3), (2, 3, 4)):
    a, b = z(*shape), z(*shape[:-1], 2)
    case("svdvals", L.svdvals, a)
    case("svd U", lambda x: modulus(L.svd(x, full_matrices=False)[0]), a)
    case("svd Vh", lambda x: modulus(L.svd(x, full_matrices=False)[2]), a)
    case("svd and back", lambda x: (lambda r: (r[0] * r[1].sin().unsqueeze(-2)) @ r[2])(L.svd(x, full_matrices=False)), a)
    case("qr Q", lambda x: L.qr(x)[0], a)
    case("qr R", lambda x: L.qr(x)[1], a)
    case("lu L", lambda x: L.lu(x)[1], a)
    case("lu U", lambda x: L.lu(x)[2], a)
    case("pinv", L.pinv, a)
    case("lstsq", lambda x, y: L.lstsq(x, y)[0], a, b)
    for ord in ("fro", "nuc", 1, -1, 2, -2, float("inf")):
        case(f"matrixNorm {str(ord).replace('inf', 'Infinity')}", lambda x, o=ord: L.matrix_norm(x, o), a)
    case("cond", L.cond, a)
case("householderProduct", L.householder_product, z(4, 3), z(3))
case("inv", L.inv, z(3, 3).to(torch.complex64))
case("svd and back", lambda x: (lambda r: (r[0] * r[1].sin().unsqueeze(-2)) @ r[2])(L.svd(x, full_matrices=False)), z(4, 3).to(torch.complex64))
print(json.dumps({"version": torch.__version__, "cases": cases}))
