"""As torch_cases.py, with programs of statements: views, writes in place to them, writes that nothing records, detached
tensors, hooks, indexing, mixed dtypes, refusals, and gradients of gradients.

Run: python3 torch_writes.py CASES SEED. A line has the statements, the values of all variables at the end, whether they
require a gradient, and the gradients of the inputs; `writes.ts` runs it."""
import json, math, sys
import torch
import torch.nn.functional as F
import torch_cases as base
from torch_cases import Skip, Value, number, rng, size

names = {torch.float32: "float32", torch.float64: "float64", torch.int32: "int32", torch.int64: "int64", torch.uint8: "uint8", torch.int16: "int16",
         torch.bool: "bool", torch.bfloat16: "bfloat16", torch.float16: "float16"}
integers = [torch.int32, torch.int64, torch.uint8, torch.int16]


class Lost(Exception):
    """PyTorch has written a part of what it then refused."""


class Program(base.Program):
    """`inputs` are leaves; `given` what they hold at the start, since programs write to them."""

    def __init__(self, dtype, special=False):
        super().__init__(dtype, special)
        self.given, self.lines, self.vars, self.errors = [], [], [], 0

    def input(self, shape, dtype=None, make=None):
        dtype = dtype or self.dtype
        if make is None and dtype in integers:
            make = (lambda: rng.randint(0, 9)) if dtype == torch.uint8 else (lambda: rng.randint(-5, 5))
        if len(self.inputs) == 8:
            raise Skip
        v = super().input(shape, dtype, make)
        self.given.append(self.inputs[-1].detach().clone())
        name = "abcdehij"[len(self.inputs) - 1]
        if dtype.is_floating_point:
            # The leaf itself may be written to; what is computed with is a copy that is recorded.
            v.js = v.js.replace(name, f"{name}.clone()", 1)
        return v

    def let(self, js, t):
        name = f"v{len(self.vars)}"
        self.vars.append(Value(name, t, False))
        self.lines.append(f"const {name} = {js};")
        return self.vars[-1]

    def pick(self, floating=False):
        return rng.choice([v for v in self.vars if v.t.is_floating_point() or not floating])


def quoted(t):
    return f"'{names[t]}'"


def view_of(p, x):
    """Any view of x, as JavaScript and as PyTorch gives it."""
    n = x.t.ndim
    kind = rng.choice("narrow select transpose unsqueeze squeeze diagonal at at at expand view unfold chunk unbind permute detach alias flatten".split())
    d, jd = base.one(x)
    m = x.t.shape[d] if n else 1
    if kind == "at":
        return index(x)
    if kind == "unsqueeze":
        return f"{x.js}.unsqueeze({jd})", x.t.unsqueeze(d)
    if kind == "detach":
        return f"{x.js}.detach()", x.t.detach()
    if kind == "alias":
        return f"{x.js}.view({list(x.t.shape)})", x.t.view(x.t.shape)
    if kind == "expand":
        k = rng.choice([1, 2])
        return f"{x.js}.unsqueeze(0).expand({[k] + list(x.t.shape)})", x.t.unsqueeze(0).expand([k] + list(x.t.shape))
    if kind == "view":
        return f"{x.js}.view([-1])", x.t.view(-1)
    if kind == "flatten" and x.t.is_contiguous():
        return f"{x.js}.flatten()", x.t.flatten()
    if n == 0:
        raise Skip
    if kind == "narrow":
        i = rng.randint(0, m)
        k = rng.randint(0, m - i)
        return f"{x.js}.narrow({jd}, {i}, {k})", x.t.narrow(d, i, k)
    if kind == "select":
        i = rng.randrange(m)
        return f"{x.js}.select({jd}, {i - m})", x.t.select(d, i - m)
    if kind == "transpose":
        return f"{x.js}.transpose({jd}, 0)", x.t.transpose(d, 0)
    if kind == "squeeze":
        return f"{x.js}.squeeze({jd})", x.t.squeeze(d)
    if kind == "diagonal":
        k = rng.randint(-1, 1)
        return f"g.diagonal({x.js}, {k})", x.t.diagonal(k)
    if kind == "unfold":
        k = s = rng.randint(1, max(1, m))
        return f"{x.js}.unfold({jd}, {k}, {s})", x.t.unfold(d, k, s)
    if kind == "chunk":
        return f"{x.js}.chunk(2, {jd})[0]", x.t.chunk(2, d)[0]
    if kind == "unbind":
        return f"{x.js}.unbind({jd})[0]", x.t.unbind(d)[0]
    if kind == "permute":
        dims = rng.sample(range(n), n)
        return f"{x.js}.permute({dims})", x.t.permute(dims)
    raise Skip


def part(n):
    """A slice of a dimension of n elements."""
    a, b, s = (rng.choice([None, rng.randint(-n - 1, n + 1)]), rng.choice([None, rng.randint(-n - 1, n + 1)]), rng.choice([None, 1, 2, 3]))
    js = lambda v: "null" if v is None else str(v)
    return slice(a, b, s), f"g.slice({js(a)}, {js(b)}, {js(s) if s else 1})"


def where_of(x, basic):
    """Indices of x, as Python's and as JavaScript's; of numbers and slices only if `basic`."""
    shape, py, js, advanced, gap = list(x.t.shape), [], [], False, False
    if not basic and shape and rng.random() < 0.25:
        k = rng.randint(1, len(shape))
        mask = torch.tensor([rng.random() < 0.5 for _ in range(math.prod(shape[:k]))], dtype=torch.bool).reshape(shape[:k])
        return [mask], [f"g.tensor({json.dumps(mask.tolist())}, {{ dtype: 'bool', shape: {shape[:k]} }})" if mask.numel() else f"g.zeros({shape[:k]}, {{ dtype: 'bool' }})"]
    for n in shape:
        if rng.random() < 0.15:
            py.append(None), js.append("null")
        kind = rng.choice(["number", "slice", "slice", "list", "tensor"])
        if kind == "number" and n:
            i = rng.randint(-n, n - 1)
            py.append(i), js.append(str(i))
        elif kind in ("list", "tensor") and not basic and n and not advanced:
            advanced = True
            i = [rng.randint(-n, n - 1) for _ in range(rng.randint(0, 3))]
            py.append(torch.tensor(i, dtype=torch.long)), js.append(str(i) if kind == "list" and i else f"g.tensor({i}, {{ shape: [{len(i)}], dtype: '{rng.choice(['int32', 'int64'])}' }})")
        else:
            s, text = part(n)
            py.append(s), js.append(text)
    for i in range(len(py), 0, -1):
        if rng.random() < 0.3 and isinstance(py[-1], slice) and not gap:
            py.pop(), js.pop()
        elif rng.random() < 0.1 and not gap:
            gap = True
            py.append(...), js.append("'...'")
    if not py:
        py.append(...), js.append("'...'")
    if any(isinstance(i, torch.Tensor) for i in py) and any(isinstance(i, int) and not isinstance(i, bool) for i in py):
        raise Skip  # Numbers beside lists are lists in PyTorch: where the dimension goes is tested elsewhere.
    return py, js


def lengths(t, py):
    """The size of the dimension that each index but None is of."""
    sizes = list(t.shape)
    for i in (i for i in py if i is not None):
        if i is ...:
            rest = py[next(k for k, v in enumerate(py) if v is ...) + 1 :]
            sizes = sizes[len(sizes) - sum(v is not None for v in rest) :]
            yield 0
        else:
            yield sizes.pop(0)


def repeated(i, n):
    return isinstance(i, torch.Tensor) and i.dtype == torch.long and len({v % n for v in i.tolist()}) < i.numel()


def index(x):
    py, js = where_of(x, rng.random() < 0.7)
    if py == [...]:
        raise Skip  # The tensor itself here, an alias there, which hooks tell apart.
    return f"{x.js}.at({', '.join(js)})", x.t[tuple(py)]


def operand(p, x):
    """Something that x can be written with: a variable, a new input or a number."""
    kind = rng.random()
    if kind < 0.3:
        k = rng.choice([0, 1, 2, -1, 0.5, 3, -0.75, 1.5])
        return Value(str(k), k)
    if kind < 0.6:
        return p.pick()
    return base.like(p, x, rng.choice([None, None, None, torch.int32, torch.bool]) if rng.random() < 0.2 else x.t.dtype if x.t.dtype in names else None)


plain = "neg_ abs_ sign_ tanh_ sigmoid_ relu_ floor_ ceil_ round_ trunc_ square_ sin_ cos_ atan_ erf_ exp_ expm1_ zero_ sinc_ rad2deg_ frac_ bitwiseNot_=bitwise_not_ ".split()


def places(t):
    """Where the elements of t are in memory."""
    at = torch.tensor([t.storage_offset()])
    for n, step in zip(t.shape, t.stride()):
        at = (at[:, None] + torch.arange(n) * step).flatten()
    return (at * t.element_size() + t.storage().data_ptr()).tolist()


def entangled(x, y):
    """Whether y has elements of x, but not each at the same index."""
    if not isinstance(y, torch.Tensor):
        return False
    a, b = places(x), places(y)
    return bool(set(a) & set(b)) and not (a == b and x.shape == y.shape)


def write(p, x):
    """A write to x: JavaScript, and a function that does it."""
    n, t = x.t.ndim, x.t
    if len(set(places(t))) < t.numel():
        raise Skip  # Elements that share a place: what they become depends on the order.
    kind = rng.choice(["plain", "plain", "number", "number", "binary", "binary", "binary", "copy", "set", "set", "set", "mask", "index", "scatter", "sum", "clamp", "tri", "cum", "matmul", "bits"])
    d, jd = base.one(x)
    m = t.shape[d] if n else 1
    if kind == "plain":
        js, _, py = rng.choice(plain).partition("=")
        return f"{x.js}.{js}()", lambda: getattr(t, py or js)()
    if kind == "number":
        k = rng.choice([0, 1, 2, -1, 3, 0.5, -1.5])
        js, py = rng.choice([("fill_", "fill_"), ("add_", "add_"), ("mul_", "mul_"), ("sub_", "sub_"), ("div_", "div_"), ("pow_", "pow_"), ("remainder_", "remainder_"), ("fmod_", "fmod_")])
        if js in ("fill_", "remainder_", "fmod_") and k < 0 and t.dtype == torch.uint8:
            raise Skip  # 1.13 takes -1 for 255.
        if k == 0 and js in ("remainder_", "fmod_", "floorDivide_", "pow_"):
            raise Skip
        if js == "pow_" and not float(k).is_integer():
            raise Skip
        return f"{x.js}.{js}({k})", lambda: getattr(t, py)(k)
    if kind == "binary":
        y = operand(p, x)
        if entangled(t, y.t):
            raise Skip  # 1.13 reads what it has written, in some order; here operands are read before.
        js = rng.choice("add_ sub_ mul_ div_ alpha lerp_ addcmul_".split())
        if isinstance(y.t, (int, float)):
            if js not in ("add_", "sub_", "mul_", "div_"):
                raise Skip
            return f"{x.js}.{js}({y.js})", lambda: getattr(t, js)(y.t)
        if js == "alpha":
            return f"{x.js}.add_({y.js}, {{ alpha: 2 }})", lambda: t.add_(y.t, alpha=2)
        if js == "lerp_":
            return f"{x.js}.lerp_({y.js}, 0.25)", lambda: t.lerp_(y.t, 0.25)
        if js == "addcmul_":
            z = operand(p, x)
            if entangled(t, z.t):
                raise Skip
            if isinstance(z.t, (int, float)) or not t.is_floating_point():
                raise Skip  # Of integers 1.13 takes half of a product for 0; it is refused here.
            return f"{x.js}.addcmul_({y.js}, {z.js}, {{ value: 0.5 }})", lambda: t.addcmul_(y.t, z.t, value=0.5)
        return f"{x.js}.{js}({y.js})", lambda: getattr(t, js)(y.t)
    if kind == "copy":
        y = operand(p, x)
        if entangled(t, y.t):
            raise Skip
        if isinstance(y.t, (int, float)):
            if y.t < 0 and t.dtype == torch.uint8:
                raise Skip
            return f"{x.js}.fill_({y.js})", lambda: t.fill_(y.t)
        if not torch.can_cast(y.t.dtype, t.dtype):
            raise Skip  # Refused here: it loses digits in silence.
        return f"{x.js}.copy_({y.js})", lambda: t.copy_(y.t)
    if kind == "set":
        py, js = where_of(x, rng.random() < 0.5)
        if any(repeated(i, n) for i, n in zip([i for i in py if i is not None], lengths(t, py))):
            raise Skip  # Of several values for one place any may stay.
        target = t.detach()[tuple(py)]
        y = rng.choice([Value("2", 2.0), base.like(p, Value("", target), t.dtype), p.pick()])

        if isinstance(y.t, torch.Tensor) and (set(places(t)) & set(places(y.t)) or y.t.ndim > target.ndim):
            raise Skip  # As above; and 1.13 leaves out leading dimensions of one element.

        if isinstance(y.t, torch.Tensor) and not torch.can_cast(y.t.dtype, t.dtype):
            raise Skip  # Refused here, as copy_ is.

        def assign():
            t[tuple(py)] = y.t

        return f"{x.js}.set({', '.join(js)}, {y.js})", assign
    if kind == "mask":
        c = base.like(p, x, torch.bool)
        k = rng.choice([0, 2] if t.dtype == torch.uint8 else [0, 2, -1])
        return f"{x.js}.maskedFill_({c.js}, {k})", lambda: t.masked_fill_(c.t, k)
    if kind == "clamp":
        k = rng.choice([0.5, 1, 2])
        if t.dtype == torch.uint8:
            raise Skip  # 1.13 takes the limit -2 for 254.
        return rng.choice([(f"{x.js}.clamp_({-k}, {k})", lambda: t.clamp_(-k, k)), (f"{x.js}.clamp_({k})", lambda: t.clamp_(min=k)), (f"{x.js}.clamp_(null, {k})", lambda: t.clamp_(max=k))])
    if n == 0:
        raise Skip
    if kind == "tri":
        k = rng.randint(-1, 1)
        js = rng.choice(["tril_", "triu_"])
        if n < 2:
            raise Skip
        return f"{x.js}.{js}({k})", lambda: getattr(t, js)(k)
    if kind == "cum":
        js = rng.choice(["cumsum_", "cumprod_"])
        if t.dtype == torch.bool:
            raise Skip  # Refused here: sums of bools are no bools.
        return f"{x.js}.{js}({jd})", lambda: getattr(t, js)(d)
    if kind == "matmul":
        if n != 2 or not t.is_floating_point():
            raise Skip
        k = size()
        u, v = p.input([t.shape[0], k], t.dtype), p.input([k, t.shape[1]], t.dtype)
        return f"{x.js}.addmm_({u.js}, {v.js}, {{ beta: 0.5 }})", lambda: t.addmm_(u.t, v.t, beta=0.5)
    if kind == "bits":
        k = rng.choice([1, 2, 3])
        js, py = rng.choice([("bitwiseAnd_", "bitwise_and_"), ("bitwiseOr_", "bitwise_or_"), ("bitwiseXor_", "bitwise_xor_"), ("bitwiseLeftShift_", "bitwise_left_shift_")])
        if t.dtype not in integers:
            raise Skip
        return f"{x.js}.{js}({k})", lambda: getattr(t, py)(k)
    if m == 0:
        raise Skip
    if kind == "index":
        i = rng.sample(range(m), rng.randint(0, m))
        ti, ji = torch.tensor(i, dtype=torch.long), f"g.tensor({i}, {{ shape: [{len(i)}], dtype: 'int64' }})"
        js = rng.choice(["indexAdd_", "indexCopy_", "indexFill_"])
        if js == "indexFill_":
            return f"{x.js}.indexFill_({jd}, {ji}, 2)", lambda: t.index_fill_(d, ti, 2)
        s = list(t.shape)
        s[d] = len(i)
        y = p.input(s, t.dtype)
        return f"{x.js}.{js}({jd}, {ji}, {y.js})", lambda: getattr(t, {"indexAdd_": "index_add_", "indexCopy_": "index_copy_"}[js])(d, ti, y.t)
    s = [rng.randint(0, k) for k in t.shape]
    if kind == "scatter":
        # Each place once: rows of a permutation.
        s[d] = rng.randint(0, m)
        if 0 in s:
            raise Skip  # What writes nothing counts as no write in 1.13, which its views are not told of.
        i = torch.stack([torch.tensor(rng.sample(range(m), s[d]), dtype=torch.long) for _ in range(math.prod(s) // max(1, s[d]))]) if math.prod(s) else torch.zeros(s, dtype=torch.long)
        moved = [v for k, v in enumerate(s) if k != d % n] + [s[d]]
        i = i.reshape(moved).movedim(-1, d) if math.prod(s) else i
        y = p.input(s, t.dtype)
        ji = f"g.tensor({json.dumps(i.flatten().tolist())}, {{ shape: {s}, dtype: 'int64' }})"
        return f"{x.js}.scatter_({jd}, {ji}, {y.js})", lambda: t.scatter_(d, i, y.t)
    i = p.input(s, torch.int32, lambda: rng.randrange(m))
    y = p.input(i.t.shape, t.dtype)
    reduce = rng.choice(["sum", "amax", "amin", "mean"])
    if rng.random() < 0.5:
        return f"{x.js}.scatterAdd_({jd}, {i.js}, {y.js})", lambda: t.scatter_add_(d, i.t.long(), y.t)
    self, js = base.flag()
    if not self and reduce in ("amax", "amin") or reduce in ("amax", "amin") and t.requires_grad | y.t.requires_grad:
        raise Skip  # Of equal elements any may have the gradient; places without an element keep the old one only here.
    return f"{x.js}.scatterReduce_({jd}, {i.js}, {y.js}, '{reduce}', {{ includeSelf: {js} }})", lambda: t.scatter_reduce_(d, i.t.long(), y.t, reduce, include_self=self)


def attempt(p, js, run, unrecorded):
    """A statement that may be refused: then both refuse it, and nothing has changed."""
    before = [v.t.detach().clone() for v in p.vars]
    try:
        if unrecorded:
            with torch.no_grad():
                run()
        else:
            run()
    except (RuntimeError, IndexError, TypeError) as e:
        text = str(e)
        if any(not torch.equal(b.nan_to_num(), v.t.detach().nan_to_num()) for b, v in zip(before, p.vars)):
            raise Lost
        # Memory that overlaps is read before it is written here; of what writes nothing some is refused there alone.
        if "single memory location" in text or "multiple views" in text or "is a view" in text or any(0 in v.t.shape for v in p.vars) or "not implemented for" in text or "must be" in text or "dtypes match" in text or "INTERNAL ASSERT" in text or "leaf Variable" in text or "negative integer powers" in text or "Expected" in text or "expected" in text or p.errors > 1 or rng.random() < 0.7:
            return False
        p.errors += 1
        p.lines.append(f"refused(() => {js});")
        return True
    p.lines.append(f"g.noGrad.run(() => {js});" if unrecorded else f"{js};")
    return True


def step(p):
    kind = rng.choice(["view", "view", "view", "op", "op", "write", "write", "write", "write", "leaf", "clone", "noGrad", "cast", "shape"])
    if kind == "view":
        x = p.pick()
        js, t = view_of(p, x)
        same = lambda a: (a.shape, a.stride(), a.storage_offset(), a.requires_grad)
        if same(t) == same(x.t):
            raise Skip  # A view of all is the tensor itself here, another there, which hooks tell apart.
        p.let(js, t)
    elif kind == "write":
        x = p.pick()
        # A write that is not recorded to a result that is: here its backward pass is refused, there it ignores the write.
        attempt(p, *write(p, x), not x.t.requires_grad and rng.random() < 0.2)
    elif kind == "leaf":
        at = rng.randrange(len(p.inputs))
        x = Value("abcdehij"[at], p.inputs[at])
        if not x.t.requires_grad:
            raise Skip
        attempt(p, *write(p, x), True)
    elif kind == "clone":
        x = p.pick()
        if not x.t.is_contiguous():
            raise Skip  # Copies are dense here; there they keep the order of the dimensions, so that later views share memory or not.
        p.let(*rng.choice([(f"{x.js}.clone()", x.t.clone()), (f"{x.js}.contiguous()", x.t.contiguous())]))
    elif kind == "noGrad":
        x = p.pick()
        with torch.no_grad():
            js, t = view_of(p, x) if rng.random() < 0.4 else (f"{x.js}.mul(2)", x.t * 2)
        if t.requires_grad:
            raise Skip  # Parts of 1.13's chunk require a gradient nevertheless.
        p.let(f"g.noGrad.run(() => {js})", t)
    elif kind == "cast":
        x, to = p.pick(), rng.choice(list(names))
        if x.t.is_floating_point() and to == torch.uint8 and (x.t < 0).any():
            raise Skip  # What negative numbers become is not defined.
        p.let(f"{x.js}.to({quoted(to)})", x.t.to(to))
    else:
        x = p.pick(True)
        if x.t.dtype in (torch.bfloat16, torch.float16):
            raise Skip
        if any(step == 0 and k > 1 for step, k in zip(x.t.stride(), x.t.shape)):
            raise Skip
        fn = base.apply_shape if kind == "shape" else rng.choice([base.apply_unary, base.apply_number, base.apply_reduce, base.apply_binary, base.apply_where, base.apply_index])
        if fn is base.apply_unary and (x.t == 0).any():
            raise Skip  # At a kink second derivatives are those of either side.
        own = p.dtype
        p.dtype = x.t.dtype
        try:
            r, _ = fn(p, x, False)
        finally:
            p.dtype = own
        p.let(r.js, r.t)


def program():
    p = Program(rng.choice([torch.float32, torch.float64, torch.float64, torch.float64]))
    first = p.dtype if rng.random() < 0.8 else rng.choice(integers + [torch.bool, torch.bfloat16])
    x = p.input(base.shape(0, 3), first)
    p.let(x.js, x.t)
    if first.is_floating_point and rng.random() < 0.3:
        y = p.input(base.shape(0, 2))
        p.let(y.js, y.t)
    for _ in range(rng.randint(2, 9)):
        count = len(p.inputs)
        try:
            step(p)
        except (Skip, RuntimeError, IndexError, ValueError, TypeError, NotImplementedError, ZeroDivisionError):
            # Inputs that no statement uses stay, unused.
            pass
        if len(p.inputs) > 7 or len(p.vars) > 12:
            break
    if len(p.lines) < 3:
        raise Skip
    # Hooks come last: those set before a write are lost in 1.13, as are those of views that are written to unrecorded.
    silent = any("noGrad" in line or "detach" in line for line in p.lines)
    for x in p.vars:
        if x.t.requires_grad and rng.random() < 0.1 and not (x.t._is_view() and silent):
            x.t.register_hook(lambda g: g * 2)
            p.lines.append(f"{x.js}.registerHook((grad) => grad.mul(2));")
            break
    return p


def weighted(t):
    w = torch.tensor([0.25 + (k * 7 % 5) * 0.5 for k in range(t.numel())], dtype=torch.float64).to(t.dtype).reshape(t.shape)
    return (t * w).sum()


def finish(p, twice):
    """The gradients of the inputs of all that can be told apart; of gradients, with `twice`. None where it is refused."""
    leaves = [x for x in p.inputs if x.requires_grad]
    outs = [v.t for v in p.vars if v.t.requires_grad]
    if not outs:
        return [], None
    loss = sum(weighted(t).double() for t in outs)
    try:
        if twice:
            grads = [g for g in torch.autograd.grad(loss, leaves, create_graph=True, allow_unused=True) if g is not None and g.requires_grad]
            if not grads:
                raise Skip
            sum(weighted(g * g).double() for g in grads).backward()
        else:
            loss.backward()
    except RuntimeError as e:
        if "modified by an inplace" not in str(e):
            raise Skip
        return None, loss
    return [x.grad for x in p.inputs], loss


def stored(t):
    return f'["{names[t.dtype]}",{json.dumps(list(t.shape), separators=(",", ":"))},[{",".join(number(v, t.dtype == torch.float32) for v in t.detach().flatten().tolist())}]]'


def gradient(g):
    return "0" if g is None else "[" + ",".join(number(v, g.dtype == torch.float32) for v in g.flatten().tolist()) + "]"


def case(seed):
    rng.seed(seed)
    try:
        p = program()
    except Lost:
        raise Skip
    # In a second backward pass a hook sees what saved results add: which operators save theirs is a choice of each.
    twice = p.dtype == torch.float64 and rng.random() < 0.3 and not any("registerHook" in line for line in p.lines)
    grads, _ = finish(p, twice)
    values = [v.t for v in p.vars]
    calm = lambda t: t is None or not t.is_floating_point() or t.numel() == 0 or bool(t.isfinite().all()) and float(t.detach().abs().max()) < 1e4
    if not all(map(calm, values)) or grads and not all(map(calm, grads)) or sum(t.numel() for t in values) > 1500:
        raise Skip
    if p.dtype == torch.float32:
        # A program whose result depends on float32 rounding is no case: it must agree with itself in float64.
        real, cast = torch.tensor, torch.Tensor.to
        torch.tensor = lambda data, dtype=None: real(data, dtype=torch.float64 if dtype == torch.float32 else dtype)
        torch.Tensor.to = lambda self, to: cast(self, torch.float64 if to == torch.float32 else to)
        try:
            rng.seed(seed)
            q = program()
            again, _ = finish(q, False)
        finally:
            torch.tensor, torch.Tensor.to = real, cast
        if [v.js for v in q.vars] != [v.js for v in p.vars] or not all(base.close(v, w.t) for v, w in zip(values, q.vars)):
            raise Skip
        if grads and any(a is not None and (b is None or not base.close(a, b)) for a, b in zip(grads, again or [])):
            raise Skip
    flags = "".join("1" if v.requires_grad else "0" for v in values)
    line = ",".join(f'"{k}":{v}' for k, v in {
        "s": seed, "js": json.dumps(p.lines), "in": "[" + ",".join(stored(t) for t in p.given) + "]", "twice": base.json.dumps(twice),
        "out": "[" + ",".join(stored(t) for t in values) + "]", "requires": f'"{flags}"',
        "g": "null" if grads is None else "[" + ",".join(gradient(g) for g in grads) + "]",
    }.items())
    return "{" + line + "}"


if __name__ == "__main__":
    base.case = case
    base.main()
