"""Writes layers.jsonl: functions that layers are made of, computed by PyTorch in float64. Run: python3 make_layers.py"""
import torch
from torch.nn import functional as F
from lines import case, f, write

volume = f(1, 4, 3, 5, 4)


def conv(js, x, w, b, **options):
    case(f"functional.conv3d(a, b, c, {{ {js} }})", lambda x, w, b: F.conv3d(x, w, b, **options), x, w, b)


conv("", volume, f(3, 4, 2, 3, 1), f(3))
conv("stride: [2, 1, 3], padding: [1, 0, 2], dilation: [2, 1, 1]", volume, f(3, 4, 3, 2, 3), f(3), stride=(2, 1, 3), padding=(1, 0, 2), dilation=(2, 1, 1))
conv("groups: 2, padding: 1", volume, f(6, 2, 3, 3, 2), f(6), groups=2, padding=1)
conv("padding: 'same', dilation: [1, 2, 1]", volume, f(2, 4, 2, 3, 4), f(2), padding="same", dilation=(1, 2, 1))
conv("padding: 'valid'", volume[0], f(2, 4, 1, 2, 2), f(2), padding="valid")
case("functional.conv3d(a, b)", F.conv3d, volume, f(2, 4, 3, 5, 4))
small = f(2, 4, 2, 2, 3)
for js, w, options in (
    ("", f(4, 3, 2, 3, 1), {}),
    ("stride: [2, 1, 3], padding: [1, 0, 2], outputPadding: [1, 0, 2], dilation: [1, 2, 1]", f(4, 3, 3, 2, 3),
     dict(stride=(2, 1, 3), padding=(1, 0, 2), output_padding=(1, 0, 2), dilation=(1, 2, 1))),
    ("groups: 2, stride: 2, outputPadding: 1", f(4, 3, 2, 2, 2), dict(groups=2, stride=2, output_padding=1)),
):
    bias = f(3 * options.get("groups", 1))
    case(f"functional.convTranspose3d(a, b, c, {{ {js} }})", lambda x, w, b: F.conv_transpose3d(x, w, b, **options), small, w, bias)
case("functional.convTranspose3d(a, b)", F.conv_transpose3d, small[0], f(4, 1, 1, 1, 1))

line, plane = f(2, 3, 10), f(2, 2, 7, 6)
inputs = {1: line, 2: plane, 3: f(1, 2, 6, 5, 5)}


def places(x):
    return [x[0], x[1].int()]


for d, x in inputs.items():
    size = f"[{', '.join(['3', '2', '3'][:d])}]" if d > 1 else "3"
    kernel = tuple([3, 2, 3][:d]) if d > 1 else 3
    pool, pick = getattr(F, f"max_pool{d}d"), f"functional.maxPool{d}dWithIndices"
    average, adaptive, unpool = (getattr(F, f"{n}{d}d") for n in ("avg_pool", "adaptive_max_pool", "max_unpool"))
    for js, options in (
        ("", {}),
        ("stride: 2, padding: 1, ceilMode: true", dict(stride=2, padding=1, ceil_mode=True)),
        ("stride: 3, ceilMode: true", dict(stride=3, ceil_mode=True)),
        ("dilation: 2, stride: 1, ceilMode: true", dict(dilation=2, stride=1, ceil_mode=True)),
    ):
        case(f"Object.values({pick}(a, {size}, {{ {js} }}))", lambda x: places(pool(x, kernel, return_indices=True, **options)), x)
        case(f"functional.maxPool{d}d(a, {size}, {{ {js} }})", lambda x: pool(x, kernel, **options), x[0])
        if "dilation" not in options:
            for more, given in (("", {}), (", countIncludePad: false", dict(count_include_pad=False)), (", divisorOverride: 5", dict(divisor_override=5))):
                if d > 1 or "divisor_override" not in given:
                    case(f"functional.avgPool{d}d(a, {size}, {{ {js or 'padding: 0'}{more} }})", lambda x: average(x, kernel, **options, **given), x)
    for out in ((2, 3, 4)[:d], (4, 6, 2)[:d], (7, 1, 3)[:d]):
        js = str(list(out)) if d > 1 else out[0]
        case(f"Object.values(functional.adaptiveMaxPool{d}dWithIndices(a, {js}))", lambda x: places(adaptive(x, out, return_indices=True)), x)
        case(f"functional.adaptiveAvgPool{d}d(a, {js})", lambda x: getattr(F, f"adaptive_avg_pool{d}d")(x, out), x[0])
    case(f"functional.adaptiveMaxPool{d}d(a, 3)", lambda x: adaptive(x, 3), x[0])
    values, at = pool(x[(slice(None), slice(None)) + (slice(4),) * d], 2, return_indices=True)
    case(f"functional.maxUnpool{d}d(a, b, 2)", lambda v, i: unpool(v, i.long(), 2), values, at.int())
    values, at = pool(x, 2, return_indices=True)
    case(f"functional.maxUnpool{d}d(a, b, 2, {{ outputSize: {list(x.shape[2:])} }})", lambda v, i: unpool(v, i.long(), 2, output_size=x.shape[2:]), values, at.int())
    # If windows overlap, several elements go to one position: PyTorch gives all of them its gradient, here only the last one
    # has it.
    values, at = pool(x[0], 3, 2, 1, return_indices=True)
    case(f"functional.maxUnpool{d}d(a, b, 3, {{ stride: 2, padding: 1, outputSize: {list(x.shape[2:])} }})",
         lambda v, i: unpool(v, i.long(), 3, 2, 1, x.shape[2:]), values, at.int(), grad=False)
    if d < 3:
        lp = getattr(F, f"lp_pool{d}d")
        case(f"functional.lpPool{d}d(a, 2, 2)", lambda x: lp(x, 2, 2), x)
        case(f"functional.lpPool{d}d(a, 3, 3, {{ stride: 2, ceilMode: true }})", lambda x: lp(x, 3, 3, 2, True), x.abs() + 0.5)
nan = line.clone(); nan[0, 0, 3] = nan[0, 0, 5] = float("nan"); nan[1] = 1
case("Object.values(functional.adaptiveMaxPool1dWithIndices(a, 3))", lambda x: places(F.adaptive_max_pool1d(x, 3, return_indices=True)), nan)
case("Object.values(functional.maxPool1dWithIndices(a, 4))", lambda x: places(F.max_pool1d(x, 4, return_indices=True)), nan)
case("functional.channelShuffle(a, 2)", lambda x: F.channel_shuffle(x, 2), f(2, 4, 3), grad=False)
case("functional.channelShuffle(a, 3)", lambda x: F.channel_shuffle(x, 3), f(1, 6, 2, 2), grad=False)
picture = f(1, 2, 5, 4)
for js, x, options in (
    ("size: [7, 3], mode: 'bicubic'", picture, dict(size=(7, 3), mode="bicubic")),
    ("size: [3, 9], mode: 'bicubic', alignCorners: true", picture, dict(size=(3, 9), mode="bicubic", align_corners=True)),
    ("scaleFactor: [1.5, 2.3], mode: 'bicubic'", picture, dict(scale_factor=(1.5, 2.3), mode="bicubic")),
    ("size: [2, 3], mode: 'bicubic', antialias: true", picture, dict(size=(2, 3), mode="bicubic", antialias=True)),
    ("size: [7, 2], mode: 'bilinear', antialias: true", picture, dict(size=(7, 2), mode="bilinear", antialias=True)),
    ("size: [3, 6], mode: 'bilinear', antialias: true, alignCorners: true", picture, dict(size=(3, 6), mode="bilinear", antialias=True, align_corners=True)),
    ("size: [3, 6], mode: 'area'", picture, dict(size=(3, 6), mode="area")),
    ("size: 3, mode: 'area'", f(1, 2, 7), dict(size=3, mode="area")),
    ("size: [2, 4, 3], mode: 'area'", f(1, 2, 3, 4, 5), dict(size=(2, 4, 3), mode="area")),
    ("size: [4, 2, 6], mode: 'trilinear'", f(1, 2, 3, 4, 5), dict(size=(4, 2, 6), mode="trilinear")),
    ("scaleFactor: 1.5, mode: 'trilinear'", f(1, 1, 3, 4, 2), dict(scale_factor=1.5, mode="trilinear")),
    ("size: [4, 2, 6], mode: 'trilinear', alignCorners: true", f(1, 2, 3, 4, 5), dict(size=(4, 2, 6), mode="trilinear", align_corners=True)),
    ("size: [5, 2, 7]", f(1, 2, 3, 4, 5), dict(size=(5, 2, 7))),
    ("size: [3, 7], mode: 'nearest-exact'", picture, dict(size=(3, 7), mode="nearest-exact")),
):
    case(f"functional.interpolate(a, {{ {js} }})", lambda x: F.interpolate(x, **options), x)

from torch.nn.utils import rnn

three = f(4, 2), f(2, 2), f(3, 2)
pack = lambda p: [p.data]
for first in (False, True):
    js = str(first).lower()
    case(f"nn.padSequence([a, b, c], {{ batchFirst: {js}, paddingValue: 0.5 }})", lambda *s: rnn.pad_sequence(s, first, 0.5), *three)
    padded = f(3, 4, 2) if first else f(4, 3, 2)
    case(f"nn.unpadSequence(a, [2, 4, 3], {{ batchFirst: {js} }})", lambda x: rnn.unpad_sequence(x, torch.tensor([2, 4, 3]), first), padded)
    case(f"nn.packPaddedSequence(a, [2, 4, 3], {{ batchFirst: {js}, enforceSorted: false }}).data", lambda x: rnn.pack_padded_sequence(x, [2, 4, 3], first, False).data, padded)
    case(f"nn.packPaddedSequence(a, [4, 3, 3], {{ batchFirst: {js} }}).data", lambda x: rnn.pack_padded_sequence(x, [4, 3, 3], first).data, padded)
    case(f"nn.padPackedSequence(nn.packSequence([a, b, c], {{ enforceSorted: false }}), {{ batchFirst: {js}, paddingValue: -1, totalLength: 6 }})[0]",
         lambda *s: rnn.pad_packed_sequence(rnn.pack_sequence(s, False), first, -1, 6)[0], *three)
case("nn.packSequence([a, b, c], { enforceSorted: false }).data", lambda *s: rnn.pack_sequence(s, False).data, *three)
case("nn.unpackSequence(nn.packSequence([a, b, c], { enforceSorted: false }))", lambda *s: rnn.unpack_sequence(rnn.pack_sequence(s, False)), *three)
deep = f(2, 3, 3, 4, 5)
for corners in (False, True):
    js = f"alignCorners: {str(corners).lower()}"
    case(f"functional.affineGrid(a, [2, 1, 2, 3, 4], {{ {js} }})", lambda a: F.affine_grid(a, [2, 1, 2, 3, 4], align_corners=corners), f(2, 3, 4))
    for mode in ("bilinear", "nearest"):
        for padding in ("zeros", "border", "reflection"):
            # By the nearest element the grid's gradient is 0 there, and none here.
            grid = "b" if mode == "bilinear" else "b.detach()"
            case(f"functional.gridSample(a, {grid}, {{ mode: '{mode}', paddingMode: '{padding}', {js} }})",
                 lambda a, b: F.grid_sample(a, b if mode == "bilinear" else b.detach(), mode=mode, padding_mode=padding, align_corners=corners), deep, f(2, 2, 3, 2, 3))
flat, samples = f(2, 3, 9, 7), torch.rand(2, 3, 2).double()
for js, kernel, options in (("2, { outputSize: [5, 4]", 2, dict(output_size=(5, 4))), ("[2, 3], { outputRatio: [0.5, 0.7]", (2, 3), dict(output_ratio=(0.5, 0.7))), ("3, { outputSize: 1", 3, dict(output_size=1))):
    case(f"functional.fractionalMaxPool2d(a, {js}, randomSamples: b.detach() }})", lambda a, b: F.fractional_max_pool2d(a, kernel, _random_samples=b.detach(), **options), flat, samples)
    case(f"functional.fractionalMaxPool2dWithIndices(a, {js}, randomSamples: b.detach() }}).indices", lambda a, b: F.fractional_max_pool2d(a, kernel, _random_samples=b.detach(), return_indices=True, **options)[1], flat, samples, grad=False)
deep, samples = f(2, 3, 5, 6, 7), torch.rand(2, 3, 3).double()
for js, kernel, options in (("[2, 1, 2], { outputSize: [2, 3, 2]", (2, 1, 2), dict(output_size=(2, 3, 2))), ("2, { outputRatio: 0.7", 2, dict(output_ratio=0.7))):
    case(f"functional.fractionalMaxPool3d(a, {js}, randomSamples: b.detach() }})", lambda a, b: F.fractional_max_pool3d(a, kernel, _random_samples=b.detach(), **options), deep, samples)
    case(f"functional.fractionalMaxPool3dWithIndices(a, {js}, randomSamples: b.detach() }}).indices", lambda a, b: F.fractional_max_pool3d(a, kernel, _random_samples=b.detach(), return_indices=True, **options)[1], deep, samples, grad=False)
write("layers.jsonl")
