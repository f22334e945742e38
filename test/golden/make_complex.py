"""Writes complex.json: what PyTorch computes of complex tensors, with gradients.

    python3 test/golden/make_complex.py > test/golden/complex.json
"""
import json
import torch

torch.manual_seed(1)


def pairs(t):
    return torch.view_as_real(t.detach().resolve_conj()).reshape(-1).tolist() if t.is_complex() else t.detach().reshape(-1).tolist()


def dump(t):
    return {"dtype": str(t.dtype)[6:], "shape": list(t.shape), "values": pairs(t)}


def loss(out):
    """A real number in which each part of each element counts differently."""
    parts = torch.view_as_real(out.resolve_conj()) if out.is_complex() else out
    weights = torch.sin(torch.arange(parts.numel(), dtype=torch.float64) * 1.7 + 0.4) + 1.3
    return (parts.reshape(-1).double() * weights).sum()


cases = []


def case(name, fn, *inputs):
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = fn(*leaves)
    loss(out).backward()
    cases.append({"name": name, "inputs": [dump(x) for x in inputs], "out": dump(out), "grads": [dump(x.grad) for x in leaves]})


c128 = torch.complex128


def z(*shape):
    return torch.randn(*shape, dtype=c128)


special = torch.tensor([complex(a, b) for a in (-2.5, -0.5, 0.3, 1.7, 30.0) for b in (-1.3, -1e-3, 0.4, 2.9)], dtype=c128)
bounded = special / 3
for name in "exp log log2 log10 sqrt rsqrt square reciprocal sigmoid sin cos tan asin acos atan sinh cosh tanh asinh atanh abs angle neg conj real imag sgn".split():
    case(name, getattr(torch, name), bounded if name in "sin cos tan exp sinh cosh tanh".split() else special)
for exponent in (0, 1, 2, 3, -1, -2, 0.5):
    case(f"pow {exponent}", lambda x, e=exponent: x.pow(e), special)
a, b, r = z(2, 3), z(3), torch.randn(2, 3, dtype=torch.float64)
for name in "add sub mul div".split():
    fn = getattr(torch, name)
    case(name, fn, a, b)
    case(name, fn, a, r)
    case(name, fn, r, b)
    case(name, fn, a.to(torch.complex64), r)
for name in "sum mean prod cumsum".split():
    case(name, lambda x, n=name: getattr(torch, n)(x, 0), a)
case("sum of all", torch.sum, a)
case("prod of all", torch.prod, a)
case("mean of all", torch.mean, a)
case("matmul", torch.matmul, z(2, 3, 4), z(4, 2))
case("matmul", torch.matmul, z(3, 4), z(4))
case("matmul", torch.matmul, z(2, 1, 3, 4), z(5, 4, 2))
case("linear", torch.nn.functional.linear, z(2, 3), z(4, 3), z(4))
case("einsum ij,kj->ik", lambda x, y: torch.einsum("ij,kj->ik", x, y), z(2, 3), z(4, 3))
case("vecdot", torch.linalg.vecdot, z(2, 3), z(2, 3))
case("transpose", lambda x: x.transpose(0, 1) * b.reshape(3, 1), a)
case("narrow", lambda x: x.narrow(1, 1, 2), a)
case("index [1, 0, 1]", lambda x: x[[1, 0, 1]], a)
case("cat", lambda x, y: torch.cat([x, y]), a, r)
case("stack", lambda x, y: torch.stack([x, y]), a, r)
case("where", lambda x, y: torch.where(r > 0, x, y), a, z(2, 3))
case("flip", lambda x: x.flip(1), a)
case("roll", lambda x: x.roll(1, 1), a)
case("diagonal", torch.diagonal, a)
case("complex", torch.complex, r, r * 2 + 1)
case("polar", torch.polar, r.abs(), r)
case("viewAsReal", torch.view_as_real, a)
case("viewAsComplex", torch.view_as_complex, torch.randn(3, 2, dtype=torch.float64))
# 1.13 has NaN for 0 to the power 0, and for the gradients there: see the tests.
case("pow", torch.pow, special, z(20))
case("pow", torch.pow, a, r)
case("pow", torch.pow, r.abs(), b)
case("base 2", lambda x: torch.pow(2, x), a)
conv = torch.nn.functional


def transposed(fn, x, w, b):
    """1.13 has none of complex numbers: by real ones of the parts."""
    re = fn(x.real, w.real) - fn(x.imag, w.imag)
    return torch.complex(re, fn(x.real, w.imag) + fn(x.imag, w.real)) + b.reshape([-1] + [1] * (x.dim() - 2))


case("conv1d", conv.conv1d, z(2, 2, 5), z(3, 2, 2), z(3))
case("conv2d", conv.conv2d, z(2, 2, 4, 5), z(3, 2, 2, 3))
case("conv2d", conv.conv2d, z(2, 2, 4, 5).to(torch.complex64), z(3, 2, 2, 3).to(torch.complex64), z(3).to(torch.complex64))
case("conv2d of groups", lambda x, w, b: conv.conv2d(x, w, b, stride=2, padding=1, groups=2), z(1, 4, 5, 4), z(4, 2, 3, 2), z(4))
case("convTranspose1d", lambda x, w, b: transposed(conv.conv_transpose1d, x, w, b), z(2, 2, 3), z(2, 3, 2), z(3))
case("convTranspose2d of groups", lambda x, w, b: transposed(lambda x, w: conv.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1, groups=2), x, w, b), z(1, 4, 3, 2), z(4, 2, 3, 3), z(4))
case("conv3d", conv.conv3d, z(1, 2, 3, 3, 2), z(2, 2, 2, 2, 1), z(2))
for p in (2, 1, 3, 0.5, float("inf"), float("-inf")):
    case(f"norm {str(p).replace('inf', 'Infinity')}", lambda x, p=p: torch.linalg.vector_norm(x, p), a)
    case(f"norm {str(p).replace('inf', 'Infinity')} of rows", lambda x, p=p: torch.linalg.vector_norm(x, p, 1), a)

dtypes = [torch.bool, torch.uint8, torch.int32, torch.int64, torch.float16, torch.float32, torch.float64, torch.complex64, torch.complex128]
promotion = []
for d in dtypes:
    for e in (torch.complex64, torch.complex128):
        # PyTorch promotes half types with complex numbers to complex32, which is complex64 here.
        def name(t):
            return str(t)[6:].replace("complex32", "complex64")
        whole = lambda dtype: torch.ones(2, dtype=dtype)
        single = lambda dtype: torch.ones((), dtype=dtype)
        promotion.append([str(d)[6:], str(e)[6:], name(torch.promote_types(d, e)), name(torch.result_type(whole(d), single(e))), name(torch.result_type(single(d), whole(e)))])

print(json.dumps({"version": torch.__version__, "cases": cases, "promotion": promotion}))
