"""Writes edges.jsonl: options and inputs at the edges of what operators take, which a run of whole families beside PyTorch found wrong. Python's PyTorch 1.13. Run: python3 make_edges.py"""
import torch
import torch.nn.functional as F
from lines import case, f, write

L = torch.linalg
spd = lambda a: a @ a.mT + torch.eye(a.shape[-1]).double()
for shape in ((3, 3), (2, 3, 3), (0, 3, 3)):
    # The matrices are symmetric, so both triangles carry half of the gradient in PyTorch, as here.
    case("linalg.cholesky(a.matmul(a.mT).add(core.eye(3)), { upper: true })", lambda a: L.cholesky(spd(a), upper=True), f(*shape))
    case("linalg.solve(a, b, { left: false })", lambda a, b: L.solve(a, b, left=False), f(*shape), f(*shape[:-2], 2, 3))
case("linalg.solve(a, b)", L.solve, f(2, 3, 3), f(2, 3))
case("linalg.solve(a, b)", L.solve, f(4, 2, 3, 3), f(4, 2, 3))
case("linalg.solve(a, b)", L.solve, f(3, 3), f(3))
case("a.flip(1, 2)", lambda a: a.flip(1, 2), f(2, 3, 4))
case("a.flip(0, -1)", lambda a: a.flip(0, -1), f(2, 3, 4))
for a, b in ((f(3, 1), f(3, 4)), (f(2, 3, 4), f(3, 4)), (f(3, 4), f(1, 4))):
    case("functional.cosineSimilarity(a, b)", lambda a, b: F.cosine_similarity(a, b), a, b)
for reduction in ("none", "mean"):
    option = f"{{ reduction: '{reduction}' }}"
    case(f"functional.hingeEmbeddingLoss(a, core.tensor([1, 0, -1, 2]), {option})", lambda a: F.hinge_embedding_loss(a, torch.tensor([1, 0, -1, 2]), reduction=reduction), f(4))
    case(f"functional.cosineEmbeddingLoss(a, b, core.tensor([1, 0, -1, 2]), {option})", lambda a, b: F.cosine_embedding_loss(a, b, torch.tensor([1, 0, -1, 2]), reduction=reduction), f(4, 3), f(4, 3))
case("more.ldexp(a.int(), b)", lambda a, b: torch.ldexp(a.int(), b), torch.tensor([3.0, 4, -5]).double(), torch.tensor([-1.0, 2, -3]).double(), grad=False)
case("functional.instanceNorm(a)", lambda a: F.instance_norm(a), f(2, 3, 0))
case("functional.bilinear(a, b, c, d)", F.bilinear, f(0, 3), f(0, 4), f(2, 3, 4), f(2))
for decimals in (-2, -1, 1, 3):
    case(f"more.round(a, {{ decimals: {decimals} }})", lambda a: torch.round(a, decimals=decimals), f(3, 4) * 100)
index = torch.tensor([2, 0, 2])
case("more.indexAdd(a, 1, core.tensor([2, 0, 2], { dtype: 'int32' }), b, { alpha: -0.5 })", lambda a, b: a.index_add(1, index, b, alpha=-0.5), f(2, 4), f(2, 3))
write("edges.jsonl")
