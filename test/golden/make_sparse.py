"""Writes sparse.jsonl: sparse tensors by coordinates and by rows, in the form of lines.py, and sparse_optim.json: paths of optimizers over sparse
gradients. Python's PyTorch 1.13. Run: python3 make_sparse.py"""
import json, os, torch
from lines import case, f, num, write

i = torch.tensor([[0, 2, 1, 2, 0], [3, 0, 1, 0, 2]], dtype=torch.int32)  # (2, 0) twice
coo = lambda i, v, *shape: torch.sparse_coo_tensor(i.long(), v, shape)
make = "sparse.sparseCooTensor(a, b, [3, 4])"
case(f"{make}.toDense()", lambda i, v: coo(i, v, 3, 4).to_dense(), i, f(5))
case(f"{make}.coalesce().toDense()", lambda i, v: coo(i, v, 3, 4).coalesce().to_dense(), i, f(5))
case(f"{make}.coalesce().values()", lambda i, v: coo(i, v, 3, 4).coalesce().values(), i, f(5))
case(f"{make}.coalesce().indices()", lambda i, v: coo(i, v, 3, 4).coalesce().indices().int(), i, f(5), grad=False)
case("sparse.sparseCooTensor(a, b).toDense()", lambda i, v: torch.sparse_coo_tensor(i.long(), v).to_dense(), i, f(5))
case(f"{make}.t().toDense()", lambda i, v: coo(i, v, 3, 4).t().to_dense(), i, f(5))
case(f"{make}.matmul(c)", lambda i, v, x: torch.sparse.mm(coo(i, v, 3, 4), x), i, f(5), f(4, 2))
# 1.13 has no gradient for the values in a matrix-vector product, so the dense one is used.
case(f"{make}.matmul(c)", lambda i, v, x: coo(i, v, 3, 4).to_dense() @ x, i, f(5), f(4))
case(f"sparse.matmul(c, {make})", lambda i, v, x: x @ coo(i, v, 3, 4).to_dense(), i, f(5), f(2, 3))
case(f"sparse.matmul(c, {make})", lambda i, v, x: x @ coo(i, v, 3, 4).to_dense(), i, f(5), f(3))
case(f"{make}.toSparseCsr().matmul(c)", lambda i, v, x: torch.sparse.mm(coo(i, v, 3, 4), x), i, f(5), f(4, 2))
case(f"{make}.toSparseCsr().crowIndices()", lambda i, v: coo(i, v, 3, 4).coalesce().to_sparse_csr().crow_indices().int(), i, f(5), grad=False)
case(f"{make}.toSparseCsr().colIndices()", lambda i, v: coo(i, v, 3, 4).coalesce().to_sparse_csr().col_indices().int(), i, f(5), grad=False)
j = torch.tensor([[0, 1, 2], [3, 3, 0]], dtype=torch.int32)
case(f"{make}.add(sparse.sparseCooTensor(c, d, [3, 4])).toDense()", lambda i, v, j, w: (coo(i, v, 3, 4) + coo(j, w, 3, 4)).to_dense(), i, f(5), j, f(3))
case(f"{make}.add(c)", lambda i, v, x: coo(i, v, 3, 4).to_dense() + x, i, f(5), f(3, 4))
case(f"{make}.mul(2.5).div(c).neg().toDense()", lambda i, v, s: (coo(i, v, 3, 4).to_dense() * 2.5 / s).neg(), i, f(5), f(1))
case(f"{make}.sum()", lambda i, v: torch.sparse.sum(coo(i, v, 3, 4)), i, f(5))
for d in (0, 1):
    case(f"{make}.sum({d})", lambda i, v: torch.sparse.sum(coo(i, v, 3, 4), d).to_dense(), i, f(5))
hybrid = "sparse.sparseCooTensor(a, b, [3, 4, 2])"
case(f"{hybrid}.toDense()", lambda i, v: coo(i, v, 3, 4, 2).to_dense(), i, f(5, 2))
case(f"{hybrid}.coalesce().values()", lambda i, v: coo(i, v, 3, 4, 2).coalesce().values(), i, f(5, 2))
for dims in ((0, 2), (0, 1), (1,)):
    whole = lambda i, v: torch.zeros(3, 4, 2, dtype=torch.float64).index_put(tuple(i.long()), v, accumulate=True)
    case(f"{hybrid}.sum({list(dims)})", lambda i, v: whole(i, v).sum(dims), i, f(5, 2))
case(f"{hybrid}.transpose(1, 0).toDense()", lambda i, v: coo(i, v, 3, 4, 2).transpose(0, 1).to_dense(), i, f(5, 2))
x = torch.tensor([[0, 1.5, 0], [0, 0, 0], [-2, 0, 3]], dtype=torch.float64)
case("sparse.toSparse(a).values()", lambda a: a.to_sparse().values(), x)
case("sparse.toSparse(a).indices()", lambda a: a.to_sparse().indices().int(), x, grad=False)
case("sparse.toSparse(a, 1).values()", lambda a: a.to_sparse(1).values(), x)
case("sparse.toSparse(a).toSparseCsr().toDense()", lambda a: a.to_sparse().to_dense(), x)
crow, col = torch.tensor([0, 1, 1, 3], dtype=torch.int32), torch.tensor([2, 0, 3], dtype=torch.int32)
dense = lambda crow, col, v: torch.zeros(3, 4, dtype=torch.float64).index_put((torch.tensor([0, 2, 2]), col.long()), v)
csr = "sparse.sparseCsrTensor(a, b, c, [3, 4])"
case(f"{csr}.toDense()", dense, crow, col, f(3))
case(f"{csr}.matmul(d)", lambda crow, col, v, x: dense(crow, col, v) @ x, crow, col, f(3), f(4, 2))
case(f"{csr}.t().toDense()", lambda crow, col, v: dense(crow, col, v).t(), crow, col, f(3))
case(f"{csr}.add({csr}).values()", lambda crow, col, v: v + v, crow, col, f(3))
# The gradients are sparse in ours, with the same numbers.
at = torch.tensor([[1, 4, 1], [0, 2, 4]], dtype=torch.int32)
F = torch.nn.functional
case("sparse.embedding(a, b)", lambda at, w: F.embedding(at, w), at, f(6, 3))
case("sparse.embedding(a, b, { paddingIdx: 4 })", lambda at, w: F.embedding(at, w, padding_idx=4), at, f(6, 3))
for mode in ("sum", "mean", "max"):
    case(f"functional.embeddingBag(a, b, {{ sparse: true, mode: '{mode}' }})", lambda at, w: F.embedding_bag(at, w, mode=mode), at, f(6, 3))
# Products of two sparse tensors, and functions of torch.sparse.
k = torch.tensor([[0, 3, 1, 0, 2], [1, 0, 1, 2, 0]], dtype=torch.int32)
a, b = "sparse.sparseCooTensor(a, b, [3, 4])", "sparse.sparseCooTensor(c, d, [4, 3])"
case(f"{a}.matmul({b}).toDense()", lambda i, v, k, w: torch.sparse.mm(coo(i, v, 3, 4), coo(k, w, 4, 3)).to_dense(), i, f(5), k, f(5))
case(f"sparse.mm({a}.toSparseCsr(), {b}.toSparseCsr()).toDense()", lambda i, v, k, w: coo(i, v, 3, 4).to_dense() @ coo(k, w, 4, 3).to_dense(), i, f(5), k, f(5))
# The product of 1.13 says it is coalesced, but its columns do not ascend.
case(f"{a}.matmul({b}).indices()", lambda i, v, k, w: torch.sparse.mm(coo(i, v, 3, 4), coo(k, w, 4, 3)).to_dense().to_sparse().indices().int(), i, f(5), k, f(5), grad=False)
case(f"{a}.matmul({b}).matmul({a}).matmul(e)", lambda i, v, k, w, x: coo(i, v, 3, 4).to_dense() @ coo(k, w, 4, 3).to_dense() @ coo(i, v, 3, 4).to_dense() @ x, i, f(5), k, f(5), f(4, 2))
for options, kw in (("", {}), (", { beta: 0.5, alpha: -2 }", dict(beta=0.5, alpha=-2))):
    case(f"sparse.addmm(d, {a}, c{options})", lambda i, v, x, y: torch.sparse.addmm(y, coo(i, v, 3, 4), x, **kw), i, f(5), f(4, 2), f(3, 2))
    at = lambda i, v, y, z: kw.get("beta", 1) * v + kw.get("alpha", 1) * (y @ z)[tuple(i.long())]
    case(f"sparse.sampledAddmm(sparse.sparseCooTensor(a, b, [3, 4]), c, d{options}).values()", at, j, f(3), f(3, 2), f(2, 4))
holes = lambda i, v, *shape: torch.full(shape, -torch.inf, dtype=torch.float64).index_put(tuple(coo(i, v, *shape).coalesce().indices()), coo(i, v, *shape).coalesce().values())
for d in (0, 1):
    # Gradients by the dense formula, and values by both: 1.13 gives no gradient to values that are not coalesced.
    case(f"sparse.softmax({a}, {d}).toDense()", lambda i, v: torch.softmax(holes(i, v, 3, 4), d).nan_to_num(), i, f(5))
    case(f"sparse.softmax({a}, {d}).toDense()", lambda i, v: torch.sparse.softmax(coo(i, v, 3, 4), d).to_dense(), i, f(5), grad=False)
    case(f"sparse.logSoftmax({a}, {d}).toDense()", lambda i, v: torch.sparse.log_softmax(coo(i, v, 3, 4), d).to_dense(), i, f(5), grad=False)
    logs = lambda i, v: torch.log_softmax(holes(i, v, 3, 4), d)[tuple(coo(i, v, 3, 4).coalesce().indices())]
    case(f"sparse.logSoftmax({a}, {d}).values()", logs, i, f(5))
for d in (0, 1, 2):
    case(f"sparse.softmax({hybrid}, {d}).toDense()", lambda i, v: torch.sparse.softmax(coo(i, v, 3, 4, 2), d).to_dense(), i, f(5, 2), grad=False)
case(f"{a}.mul(sparse.sparseCooTensor(c, d, [3, 4])).toDense()", lambda i, v, j, w: coo(i, v, 3, 4).to_dense() * coo(j, w, 3, 4).to_dense(), i, f(5), j, f(3))
case(f"{a}.mul(c).toDense()", lambda i, v, x: (coo(i, v, 3, 4).to_dense() * x), i, f(5), f(3, 4))
case(f"{a}.sub(sparse.sparseCooTensor(c, d, [3, 4])).toDense()", lambda i, v, j, w: (coo(i, v, 3, 4) - coo(j, w, 3, 4)).to_dense(), i, f(5), j, f(3))
case(f"{a}.sub(c)", lambda i, v, x: coo(i, v, 3, 4).to_dense() - x, i, f(5), f(3, 4))
case(f"{a}.mask(c).values()", lambda i, v, x: x[tuple(coo(i, v, 3, 4).coalesce().indices())], i, f(5), f(3, 4))
for offsets, shape in (([0, 1, -2], (4, 3)), ([2, -1, 0], (3, 5)), ([1, 0, -1], (3, 3))):
    case(f"sparse.spdiags(a, {offsets}, {list(shape)}).toDense()", lambda x: torch.sparse.spdiags(x, torch.tensor(offsets), shape).to_dense(), f(3, 3), grad=False)
write("sparse.jsonl")

paths = []
batches = [[1, 4, 1], [0, 2], [4], [1, 1, 5], [3, 0, 2], [1]]
for name, ours, theirs in (
    ("SparseAdam", dict(lr=0.05), dict(lr=0.05)),
    ("SparseAdam", dict(lr=0.1, betas=[0.7, 0.9], eps=1e-3, maximize=True), dict(lr=0.1, betas=(0.7, 0.9), eps=1e-3, maximize=True)),
    ("SGD", dict(lr=0.1), dict(lr=0.1)),
    ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.1), dict(lr=0.1, momentum=0.9, dampening=0.1)),
    ("SGD", dict(lr=0.1, momentum=0.9, nesterov=True, maximize=True), dict(lr=0.1, momentum=0.9, nesterov=True, maximize=True)),
    ("Adagrad", dict(lr=0.1), dict(lr=0.1)),
    ("Adagrad", dict(lr=0.1, lrDecay=0.2, initialAccumulatorValue=0.5, eps=1e-3), dict(lr=0.1, lr_decay=0.2, initial_accumulator_value=0.5, eps=1e-3)),
):
    w = torch.nn.Parameter(f(6, 3))
    target, start, path, norms = f(3), num(w.detach().flatten().tolist()), [], []
    opt = getattr(torch.optim, name)([w], **theirs)
    for batch in batches:
        opt.zero_grad(set_to_none=True)
        for half in (batch, batch[:1]):  # Two passes add up.
            (F.embedding(torch.tensor(half), w, sparse=True) - target).square().sum().backward()
        # 1.13's clip_grad_norm_ does not change uncoalesced gradients, so the formula is used.
        norms.append(float(w.grad.coalesce().values().norm()))
        w.grad = w.grad * min(2.0 / (norms[-1] + 1e-6), 1.0)
        opt.step()
        path.append(num(w.detach().flatten().tolist()))
    paths.append(dict(name=name, options=ours, start=start, target=num(target.tolist()), batches=batches, norms=norms, path=path))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sparse_optim.json"), "w") as out:
    json.dump(paths, out)
