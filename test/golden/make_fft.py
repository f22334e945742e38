"""Writes fft.json: what PyTorch's Fourier transforms give, with gradients.

    python3 test/golden/make_fft.py > test/golden/fft.json
"""
import json
import torch

torch.manual_seed(2)
real, c128 = torch.float64, torch.complex128
cases = []


def pairs(t):
    return torch.view_as_real(t.detach().resolve_conj()).reshape(-1).tolist() if t.is_complex() else t.detach().reshape(-1).tolist()


def dump(t):
    return {"dtype": str(t.dtype)[6:], "shape": list(t.shape), "values": pairs(t)}


def loss(out):
    """A real number in which each part of each element counts differently."""
    parts = torch.view_as_real(out.resolve_conj()) if out.is_complex() else out
    weights = torch.sin(torch.arange(parts.numel(), dtype=torch.float64) * 1.7 + 0.4) + 1.3
    return (parts.reshape(-1).double() * weights).sum()


def case(op, x, run, **options):
    leaf = x.clone().requires_grad_()
    out = run(leaf)
    loss(out).backward()
    cases.append({"op": op, "options": options, "input": dump(x), "out": dump(out), "grad": dump(leaf.grad)})


def fft(op, x, **options):
    case(op, x, lambda t: getattr(torch.fft, op)(t, **options), **options)


def z(*shape):
    return torch.randn(*shape, dtype=c128)


def r(*shape):
    return torch.randn(*shape, dtype=real)


for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 18, 49, 53, 106):
    fft("fft", z(n))
    fft("ifft", z(n))
    fft("rfft", r(n))
    fft("irfft", z(n // 2 + 1), n=n)
    fft("hfft", z(n // 2 + 1), n=n)
    fft("ihfft", r(n))
fft("fft", r(6))
fft("irfft", r(4))
fft("hfft", r(4))
fft("irfft", z(4))
for norm in ("forward", "ortho", "backward"):
    for op in ("fft", "ifft", "irfft", "hfft"):
        fft(op, z(2, 5), norm=norm)
        fft(op, z(3, 5), norm=norm, dim=0)
    for op in ("rfft", "ihfft"):
        fft(op, r(2, 5), norm=norm)
        fft(op, r(4, 3), norm=norm, dim=0)
    for op in ("fftn", "ifftn", "irfftn", "hfftn"):
        fft(op, z(2, 3, 4), norm=norm)
    for op in ("rfftn", "ihfftn"):
        fft(op, r(2, 3, 4), norm=norm)
for n in (3, 8):
    for op in ("fft", "ifft", "irfft", "hfft"):
        fft(op, z(2, 5), n=n)
    for op in ("rfft", "ihfft"):
        fft(op, r(2, 5), n=n)
for op in ("fftn", "ifftn", "irfftn", "hfftn"):
    fft(op, z(2, 3, 4), s=[4, 5])
    fft(op, z(2, 3, 4), s=[2, 3], dim=[2, 0])
    fft(op, z(2, 3, 4), dim=[1])
for op in ("rfftn", "ihfftn"):
    fft(op, r(2, 3, 4), s=[4, 5])
    fft(op, r(2, 3, 4), s=[2, 3], dim=[2, 0])
    fft(op, r(2, 3, 4), dim=[1])
for op in ("fft2", "ifft2", "irfft2", "hfft2"):
    fft(op, z(2, 3, 4))
    fft(op, z(2, 3, 4), s=[5, 2], norm="ortho")
for op in ("rfft2", "ihfft2"):
    fft(op, r(2, 3, 4))
    fft(op, r(2, 3, 4), s=[5, 2], norm="ortho")
fft("fft", z(8).to(torch.complex64))
fft("rfft", r(8).float())

window = torch.hann_window(8, dtype=real) + 0.1
small = torch.hamming_window(6, dtype=real)
for options in (
    {},
    {"hop_length": 3},
    {"hop_length": 2, "center": False},
    {"win_length": 6, "window": "small", "pad_mode": "constant"},
    {"window": "window", "normalized": True},
    {"window": "window", "onesided": False, "hop_length": 4},
):
    given = {**options, "window": {"window": window, "small": small}.get(options.get("window"))}
    case("stft", r(2, 30), lambda t, o=given: torch.stft(t, 8, return_complex=True, **o), **options)
case("stft", r(30), lambda t: torch.stft(t, 8, return_complex=True))
case("stft", z(2, 30), lambda t: torch.stft(t, 8, window=window, return_complex=True), window="window")
for options in (
    {"window": "window"},
    {"window": "window", "hop_length": 3, "length": 17},
    {"window": "window", "normalized": True, "hop_length": 4},
    {"window": "small", "win_length": 6, "hop_length": 2},
    {"window": "window", "onesided": False},
):
    given = {**options, "window": {"window": window, "small": small}[options["window"]]}
    rows = 8 if options.get("onesided") is False else 5
    case("istft", z(2, rows, 7), lambda t, o=given: torch.istft(t, 8, **o), **options)
case("istft", z(5, 7), lambda t: torch.istft(t, 8, window=window, center=True), window="window")
case("istft", z(8, 7), lambda t: torch.istft(t, 8, window=window, onesided=False, return_complex=True), window="window", onesided=False, return_complex=True)

windows = []
for n in (0, 1, 2, 5, 8):
    for periodic in (True, False):
        for name in ("bartlett", "blackman", "hamming", "hann", "kaiser"):
            made = getattr(torch, name + "_window")(n, periodic=periodic, dtype=real)
            windows.append([name, n, periodic, made.tolist()])

frequencies = [[op, n, d, getattr(torch.fft, op)(n, d=d, dtype=real).tolist()] for op in ("fftfreq", "rfftfreq") for n in (1, 4, 5) for d in (1.0, 0.25)]
shifts = [[op, list(shape), dim, getattr(torch.fft, op)(torch.arange(12).reshape(shape), dim=dim).reshape(-1).tolist()] for op in ("fftshift", "ifftshift") for shape in ((12,), (3, 4)) for dim in (None, [0])]
print(json.dumps({"version": torch.__version__, "cases": cases, "windows": windows, "frequencies": frequencies, "shifts": shifts, "window": window.tolist(), "small": small.tolist()}))
