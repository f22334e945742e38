"""Writes autocast.jsonl: dtypes, values and gradients under PyTorch 1.13's autocast on the CPU. Run: python3 make_autocast.py"""
import json, os, torch
from torch.nn import functional as F

torch.manual_seed(0)
lines = []
half = torch.bfloat16


def dump(t):
    return {"shape": list(t.shape), "dtype": str(t.dtype)[6:], "data": t.detach().float().reshape(-1).tolist()}


def case(js, fn, *inputs):
    """`js` is the call in our names, of the inputs a, b, ...; each case with float32, and with the first input in the lower dtype."""
    for lower_first in (False, True):
        leaves = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
        with torch.autocast("cpu", dtype=half):
            given = [leaves[0].to(half) if lower_first else leaves[0], *leaves[1:]]
            try:
                out = fn(*given)
            except RuntimeError:
                continue  # 1.13 refuses operands of two dtypes here.
        (out.float() * torch.arange(1, out.numel() + 1).reshape(out.shape) / out.numel()).sum().backward()
        lines.append({"js": js, "lowerFirst": lower_first, "inputs": [dump(x) for x in inputs], "output": dump(out),
                      "grads": [None if x.grad is None else dump(x.grad) for x in leaves]})


f = torch.randn
labels = torch.tensor([2, 0, 1])
case("core.matmul(a, b)", torch.matmul, f(3, 4), f(4, 2))
case("core.mm(a, b)", torch.mm, f(3, 4), f(4, 2))
case("core.bmm(a, b)", torch.bmm, f(2, 3, 4), f(2, 4, 2))
case("core.addmm(a, b, c)", torch.addmm, f(3, 2), f(3, 4), f(4, 2))
case("core.baddbmm(a, b, c)", torch.baddbmm, f(2, 3, 2), f(2, 3, 4), f(2, 4, 2))
case("core.linear(a, b, c)", F.linear, f(3, 4), f(2, 4), f(2))
case("core.conv1d(a, b, c)", F.conv1d, f(2, 3, 6), f(4, 3, 2), f(4))
case("core.conv2d(a, b, c, { padding: 1 })", lambda a, b, c: F.conv2d(a, b, c, padding=1), f(2, 3, 5, 5), f(4, 3, 3, 3), f(4))
case("functional.conv3d(a, b, c)", F.conv3d, f(1, 2, 3, 3, 3), f(2, 2, 2, 2, 2), f(2))
case("core.mseLoss(a, b)", F.mse_loss, f(3, 4), f(3, 4))
case("core.l1Loss(a, b)", F.l1_loss, f(3, 4), f(3, 4))
case("core.huberLoss(a, b)", F.huber_loss, f(3, 4), f(3, 4))
case("core.smoothL1Loss(a, b)", F.smooth_l1_loss, f(3, 4), f(3, 4))
case("core.nllLoss(a, b)", F.nll_loss, f(3, 4), labels)
case("core.klDiv(a, b)", F.kl_div, f(3, 4), torch.rand(3, 4))
case("core.binaryCrossEntropyWithLogits(a, b)", F.binary_cross_entropy_with_logits, f(3, 4), torch.rand(3, 4))
case("core.binaryCrossEntropy(a, b)", F.binary_cross_entropy, torch.rand(3, 4) * 0.8 + 0.1, torch.rand(3, 4))
case("functional.softMarginLoss(a, b)", F.soft_margin_loss, f(3, 4), torch.sign(f(3, 4)))
case("functional.multiMarginLoss(a, b)", F.multi_margin_loss, f(3, 4), labels)
case("functional.hingeEmbeddingLoss(a, b)", F.hinge_embedding_loss, f(3, 4), torch.sign(f(3, 4)))
case("functional.poissonNllLoss(a, b)", F.poisson_nll_loss, f(3, 4), torch.rand(3, 4))
case("core.prod(a)", torch.prod, f(3))
case("core.add(a, b)", torch.add, f(3, 4), f(3, 4))
case("core.mul(a, b)", torch.mul, f(3, 4), f(4))
case("core.relu(a)", torch.relu, f(3, 4))
case("core.softmax(a, -1)", lambda a: a.softmax(-1), f(3, 4))
case("core.sum(a)", torch.sum, f(3, 4))
case("core.mean(a, 1)", lambda a: a.mean(1), f(3, 4))
spd = f(3, 3)
spd = spd @ spd.t() + 3 * torch.eye(3)
case("core.inverse(a)", torch.inverse, spd)
case("core.solve(a, b)", torch.linalg.solve, spd, f(3, 2))
case("core.cholesky(a)", torch.linalg.cholesky, spd)
case("core.trace(a)", torch.trace, spd)
case("core.cdist(a, b)", torch.cdist, f(3, 4), f(2, 4))
case("core.quantile(a, 0.3)", lambda a: torch.quantile(a, 0.3), f(5))
case("linalg.svdvals(a)", torch.linalg.svdvals, f(3, 2))
case("linalg.qr(a).R", lambda a: torch.linalg.qr(a).R, f(3, 2))
case("linalg.eigvalsh(a)", torch.linalg.eigvalsh, spd)
case("linalg.matrixNorm(a)", torch.linalg.matrix_norm, f(3, 2))
case("linalg.cond(a)", torch.linalg.cond, spd)
case("linalg.pinv(a)", torch.pinverse, f(3, 2))
case("linalg.lstsq(a, b).solution", lambda a, b: torch.linalg.lstsq(a, b).solution, f(4, 2), f(4, 1))
case("linalg.solveTriangular(a, b, { upper: false })", lambda a, b: torch.triangular_solve(b, a, upper=False).solution, spd.tril(), f(3, 2))
case("linalg.tensorinv(a, { ind: 1 })", lambda a: torch.linalg.tensorinv(a, ind=1), spd)
case("functional.gridSample(a, b)", lambda a, b: F.grid_sample(a, b, align_corners=False), f(1, 1, 3, 3), torch.rand(1, 2, 2, 2))
case("functional.avgPool3d(a, 2)", lambda a: F.avg_pool3d(a, 2), f(1, 1, 2, 2, 2))
case("functional.maxPool3d(a, 2)", lambda a: F.max_pool3d(a, 2), f(1, 1, 2, 2, 2))
case("functional.adaptiveAvgPool3d(a, 1)", lambda a: F.adaptive_avg_pool3d(a, 1), f(1, 1, 2, 2, 2))
case("functional.adaptiveMaxPool3d(a, 1)", lambda a: F.adaptive_max_pool3d(a, 1), f(1, 1, 2, 2, 2))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "autocast.jsonl"), "w") as out:
    out.writelines(json.dumps(line) + "\n" for line in lines)
print(len(lines), "lines")
