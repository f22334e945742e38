"""Writes dtypes.json: the dtypes that PyTorch's operators give for every dtype and every pair of them.

    python3 test/golden/make_dtypes.py > test/golden/dtypes.json
"""

import json
import sys

import torch

NAMES = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64']
VALUES = {'bool': True, 'int': 2, 'float': 2.5}


def name_of(dtype):
    return str(dtype).replace('torch.', '')


def result(f):
    """The dtype of what f gives, or null where PyTorch refuses it."""
    try:
        out = f()
    except (RuntimeError, TypeError, NotImplementedError, IndexError) as error:
        # Operators that this version lacks for half types on the CPU are not refusals.
        return 'missing' if 'not implemented for' in str(error) else None
    out = out[0] if isinstance(out, tuple) else out
    return name_of(out.dtype)


def tensor(name, *shape):
    return torch.ones(shape, dtype=getattr(torch, name))


BINARY = {
    'add': torch.add, 'sub': torch.sub, 'mul': torch.mul, 'div': torch.div, 'pow': torch.pow,
    'maximum': torch.maximum, 'minimum': torch.minimum, 'remainder': torch.remainder, 'fmod': torch.fmod,
    'floorDivide': torch.floor_divide, 'atan2': torch.atan2, 'eq': torch.eq, 'lt': torch.lt, 'where': None,
    'bitwiseAnd': torch.bitwise_and, 'logicalAnd': torch.logical_and, 'fmax': torch.fmax, 'xlogy': torch.xlogy,
    'copysign': torch.copysign, 'gcd': torch.gcd, 'logaddexp': torch.logaddexp, 'hypot': torch.hypot,
}
UNARY = {
    'neg': torch.neg, 'abs': torch.abs, 'sign': torch.sign, 'square': torch.square, 'exp': torch.exp, 'sqrt': torch.sqrt,
    'sigmoid': torch.sigmoid, 'tanh': torch.tanh, 'floor': torch.floor, 'round': torch.round, 'relu': torch.relu,
    'reciprocal': torch.reciprocal, 'isnan': torch.isnan, 'logicalNot': torch.logical_not,
    'sum': torch.sum, 'prod': torch.prod, 'mean': torch.mean, 'std': torch.std, 'amax': torch.amax, 'max': torch.max,
    'any': torch.any, 'all': torch.all, 'cumsum': lambda x: torch.cumsum(x, 0), 'cumprod': lambda x: torch.cumprod(x, 0),
    'clone': torch.clone, 'flip': lambda x: torch.flip(x, [0]), 'sort': torch.sort, 'unique': torch.unique,
    'diff': torch.diff, 'norm': torch.norm, 'logsumexp': lambda x: torch.logsumexp(x, 0),
    'clamp': lambda x: torch.clamp(x, 0, 1), 'softmax': lambda x: torch.softmax(x, 0),
    'logSoftmax': lambda x: torch.log_softmax(x, 0), 'bitwiseNot': torch.bitwise_not, 'frac': torch.frac,
    'trunc': torch.trunc, 'var': torch.var, 'median': torch.median, 'cat': lambda x: torch.cat([x, x]),
    'erf': torch.erf, 'log1p': torch.log1p, 'sin': torch.sin, 'rsqrt': torch.rsqrt, 'gelu': torch.nn.functional.gelu,
}

promotion = []
for a in NAMES:
    for b in NAMES:
        # Both operands have dimensions; then only the first.
        both = name_of(torch.result_type(tensor(a, 2), tensor(b, 2)))
        scalar = name_of(torch.result_type(tensor(a, 2), tensor(b)))
        promotion.append([a, b, both, scalar])
values = [[a, kind, name_of(torch.result_type(tensor(a, 2), v))] for a in NAMES for kind, v in VALUES.items()]
binary = {
    op: [[a, b, result(lambda: torch.where(torch.tensor([True, False]), tensor(a, 2), tensor(b, 2)) if f is None else f(tensor(a, 2), tensor(b, 2)))] for a in NAMES for b in NAMES]
    for op, f in BINARY.items()
}
unary = {op: [[a, result(lambda: f(tensor(a, 2)))] for a in NAMES] for op, f in UNARY.items()}
json.dump({'promotion': promotion, 'values': values, 'binary': binary, 'unary': unary}, sys.stdout, separators=(',', ':'))
