"""Writes func.jsonl: what functorch 1.13, which became torch.func, gives, with gradients through it. Run: python3 make_func.py"""
import torch
from functorch import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp, vmap
from lines import case, f, write

F = torch.nn.functional
x, y, m, v = f(4, 3), f(4, 3), f(3, 2), f(3)
ints = torch.tensor([2, 0, 1, 2])

# vmap: dimensions in and out, structures, nesting, operators that take the batch in different ways.
case("func.vmap((p, q) => p.dot(q))(a, b)", vmap(torch.dot), x, y)
case("func.vmap((p, w) => p.matmul(w), { inDims: [0, null] })(a, b)", vmap(torch.matmul, in_dims=(0, None)), x, m)
case("func.vmap((p, w) => p.mul(w).sum(), { inDims: [1, null] })(a, b)", vmap(lambda p, w: (p * w).sum(), in_dims=(1, None)), x, f(4))
case("func.vmap((p, q) => p.outer(q), { inDims: [0, -1], outDims: 2 })(a, b)", vmap(torch.outer, in_dims=(0, -1), out_dims=2), x, f(2, 4))
case("func.vmap((p) => [p.sum(), p.mul(2)], { outDims: [0, 1] })(a)", vmap(lambda p: (p.sum(), p * 2), out_dims=(0, 1)), x)
case("func.vmap(({ p, q }) => p.sub(q[0]).exp(), { inDims: [{ p: 0, q: [null] }] })({ p: a, q: [b] })", lambda a, b: vmap(lambda d: (d["p"] - d["q"][0]).exp(), in_dims=({"p": 0, "q": [None]},))({"p": a, "q": [b]}), x, v)
case("func.vmap((p) => func.vmap((q) => p.mul(q).sin())(b))(a)", lambda a, b: vmap(lambda p: vmap(lambda q: (p * q).sin())(b))(a), x, f(2, 3))
case("func.vmap(func.vmap((p, q) => p.sub(q).square().sum(), { inDims: [null, 0] }), { inDims: [0, null] })(a, b)", vmap(vmap(lambda p, q: (p - q).square().sum(), in_dims=(None, 0)), in_dims=(0, None)), x, f(2, 3))
case("func.vmap((p) => p.softmax(-1).log())(a)", vmap(lambda p: p.softmax(-1).log()), f(2, 3, 4))
case("func.vmap((p) => p.mul(0).add(1))(a)", vmap(lambda p: p * 0 + 1), x)
case("func.vmap((p) => b.square())(a)", lambda a, b: vmap(lambda p: b.square())(a), x, v)
case("func.vmap((p, i) => p.gather(0, i.unsqueeze(0)))(a, b)", vmap(lambda p, i: p.gather(0, i.unsqueeze(0))), x, ints)
case("func.vmap((p, w) => core.conv2d(p, w, null, { padding: 1 }))(a, b)", vmap(lambda p, w: F.conv2d(p, w, padding=1)), f(3, 1, 2, 4, 4), f(3, 2, 2, 3, 3))
case("func.vmap((p) => core.conv2d(p, b))(a)", lambda a, b: vmap(lambda p: F.conv2d(p, b))(a), f(3, 1, 2, 4, 4), f(2, 2, 3, 3))
case("func.vmap((p, t) => core.crossEntropy(p, t))(a, b)", vmap(F.cross_entropy), f(2, 3, 4), torch.tensor([[1, 0, 3], [2, 2, 1]]))
case("func.vmap((p, w, s) => core.layerNorm(p, [3], w, s))(a, b, c)", vmap(lambda p, w, s: F.layer_norm(p, [3], w, s)), f(2, 4, 3), f(2, 3), f(2, 3))
case("func.vmap((p) => core.maxPool2d(p, 2))(a)", vmap(lambda p: F.max_pool2d(p, 2)), f(2, 1, 2, 4, 4))

# grad and what is made of it.
case("func.grad((p) => p.pow(3).sum())(a)", grad(lambda p: p.pow(3).sum()), v)
case("func.grad((p, q) => p.mul(q.exp()).sum(), { argnums: 1 })(a, b)", grad(lambda p, q: (p * q.exp()).sum(), argnums=1), v, f(3))
case("func.grad((p, q) => p.mul(q.exp()).sum(), { argnums: [0, -1] })(a, b)", grad(lambda p, q: (p * q.exp()).sum(), argnums=(0, 1)), v, f(3))
case("Object.values(func.grad(({ w, s }) => b.matmul(w).add(s).tanh().sum())({ w: a, s: c }))", lambda a, b, c: list(grad(lambda d: (b @ d["w"] + d["s"]).tanh().sum())({"w": a, "s": c}).values()), m, x, f(2))
case("func.grad((p) => func.grad((q) => q.pow(3).mul(p).sum())(p).sum())(a)", grad(lambda p: grad(lambda q: (q.pow(3) * p).sum())(p).sum()), v)
case("func.gradAndValue((p) => p.sin().sum())(a)", grad_and_value(lambda p: p.sin().sum()), v)
case("func.vmap(func.grad((p, w) => p.dot(w).tanh(), { argnums: 1 }), { inDims: [0, null] })(a, b)", vmap(grad(lambda p, w: p.dot(w).tanh(), argnums=1), in_dims=(0, None)), x, v)
case("func.grad((w) => func.vmap((p) => p.dot(w).tanh())(a).sum())(b)", lambda a, b: grad(lambda w: vmap(lambda p: p.dot(w).tanh())(a).sum())(b), x, v)
case("func.vmap((p) => func.grad((q) => q.pow(4).sum())(p).mul(p))(a)", vmap(lambda p: grad(lambda q: q.pow(4).sum())(p) * p), x)

# Products with the Jacobian.
case("func.vjp((p, q) => [p.mul(q), q.sum()], [a, b])[1]([c, c.sum()])", lambda a, b, c: vjp(lambda p, q: (p * q, q.sum()), a, b)[1]((c, c.sum())), v, f(3), f(3))
case("func.vmap(func.vjp((p) => p.sin(), [a])[1])(b)", lambda a, b: list(vmap(vjp(torch.sin, a)[1])(b)), v, x)
case("func.jvp((p, q) => p.mul(q).sin(), [a, b], [c, a])", lambda a, b, c: jvp(lambda p, q: (p * q).sin(), (a, b), (c, a)), v, f(3), f(3))
case("func.vmap((t) => func.jvp((p) => p.exp().sum(), [a], [t])[1])(b)", lambda a, b: vmap(lambda t: jvp(lambda p: p.exp().sum(), (a,), (t,))[1])(b), v, x)

# Jacobians.
for name, transform in (("jacrev", jacrev), ("jacfwd", jacfwd)):
    case(f"func.{name}((p) => p.matmul(b).tanh())(a)", lambda a, b: transform(lambda p: (p @ b).tanh())(a), x, m)
    case(f"func.{name}((p, q) => p.mul(q).sin(), {{ argnums: [0, 1] }})(a, b)", lambda a, b: transform(lambda p, q: (p * q).sin(), argnums=(0, 1))(a, b), v, f(3))
    case(f"Object.values(func.{name}((p) => ({{ s: p.sum(), c: p.cos() }}))(a))", lambda a: list(transform(lambda p: {"s": p.sum(), "c": p.cos()})(a).values()), v)
    case(f"func.vmap(func.{name}((p) => p.square().cumsum(0)))(a)", vmap(transform(lambda p: p.square().cumsum(0))), x)
    case(f"func.{name}(func.vmap((p) => p.square().sum()))(a)", transform(vmap(lambda p: p.square().sum())), x)
    case(f"func.{name}(func.{name}((p) => p.pow(3)))(a)", transform(transform(lambda p: p.pow(3))), v)
case("func.hessian((p) => p.pow(3).sum().mul(p.exp().sum()))(a)", hessian(lambda p: p.pow(3).sum() * p.exp().sum()), v)
case("func.hessian((p, q) => p.dot(q).sin(), { argnums: [0, 1] })(a, b).flat()", lambda a, b: [h for row in hessian(lambda p, q: p.dot(q).sin(), argnums=(0, 1))(a, b) for h in row], v, f(3))
case("func.vmap(func.hessian((p) => p.prod()))(a)", vmap(hessian(torch.prod)), x)
write("func.jsonl")
