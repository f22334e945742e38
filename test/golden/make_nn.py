"""Writes nn.jsonl: modules, optimizers' paths and schedulers' rates, computed by PyTorch. Run: python3 make_nn.py"""
import json, os, torch
from torch import nn

torch.manual_seed(0)
lines = []


def data(t):
    return {"shape": list(t.shape), "data": t.detach().double().flatten().tolist()}


def module(name, args, options, m, *inputs, wanted=(0, 1, 2)):
    """Inputs whose gradients are `wanted` are floating point and differentiable."""
    m = m.float()
    for p in m.parameters():
        with torch.no_grad():
            p.copy_(torch.randn_like(p) * 0.4)
    start = {k: data(v) for k, v in m.state_dict().items()}
    ins = [i.clone().requires_grad_() if i.is_floating_point() and n in wanted else i for n, i in enumerate(inputs)]
    out = m(*ins)
    flat = []

    def walk(o):
        for x in o if isinstance(o, (tuple, list)) else [o]:
            walk(x) if isinstance(x, (tuple, list)) else flat.append(x) if x is not None else None

    walk(out)
    weights = [torch.randn_like(o) for o in flat]
    sum((o * w).sum() for o, w in zip(flat, weights)).backward()
    lines.append({
        "kind": "module", "name": name, "args": args, "options": options, "state": start,
        "inputs": [dict(data(i), dtype="float32" if i.is_floating_point() else "int32") for i in inputs],
        "outputs": [data(o) for o in flat], "weights": [data(w) for w in weights],
        "grads": {k: data(p.grad) for k, p in m.named_parameters()},
        "inputGrads": [data(i.grad) if i.is_floating_point() and i.grad is not None else None for i in ins],
        "after": {k: data(v) for k, v in m.state_dict().items()},
    })


x = torch.randn(5, 2, 3)
for cls in (nn.RNN, nn.LSTM, nn.GRU):
    n = cls.__name__
    module(n, [3, 4], {}, cls(3, 4), x)
    module(n, [3, 4], {"numLayers": 2, "bidirectional": True, "batchFirst": True},
           cls(3, 4, num_layers=2, bidirectional=True, batch_first=True), x)
e = torch.randn(2, 3, 8)


module("MultiheadAttention", [8, 2], {"batchFirst": True}, nn.MultiheadAttention(8, 2, batch_first=True), e, e[:, :2], e[:, 1:])
module("MultiheadAttention", [8, 2], {}, nn.MultiheadAttention(8, 2), e, e, e)
for first in (False, True):
    for act in ("relu", "gelu"):
        module("TransformerEncoderLayer", [8, 2], {"dimFeedforward": 16, "dropout": 0, "activation": act, "normFirst": first, "batchFirst": True},
               nn.TransformerEncoderLayer(8, 2, 16, 0.0, act, batch_first=True, norm_first=first), e)
    module("TransformerDecoderLayer", [8, 2], {"dimFeedforward": 16, "dropout": 0, "normFirst": first},
           nn.TransformerDecoderLayer(8, 2, 16, 0.0, norm_first=first), e, torch.randn(4, 3, 8))
module("Transformer", [], {"dModel": 8, "nhead": 2, "numEncoderLayers": 2, "numDecoderLayers": 2, "dimFeedforward": 16, "dropout": 0},
       nn.Transformer(8, 2, 2, 2, 16, 0.0), torch.randn(4, 3, 8), e)
x2 = torch.randn(5, 3)
module("RNNCell", [3, 4], {"nonlinearity": "relu"}, nn.RNNCell(3, 4, nonlinearity="relu"), x2)
module("LSTMCell", [3, 4], {}, nn.LSTMCell(3, 4), x2)
module("GRUCell", [3, 4], {}, nn.GRUCell(3, 4), x2, torch.randn(5, 4))
module("GRU", [3, 4], {"numLayers": 2}, nn.GRU(3, 4, 2), x2)
module("Bilinear", [3, 4, 2], {}, nn.Bilinear(3, 4, 2), x2, torch.randn(5, 4))
module("EmbeddingBag", [6, 3], {"mode": "max"}, nn.EmbeddingBag(6, 3, mode="max"), torch.tensor([[0, 1, 5], [1, 2, 2]]))
img = torch.randn(2, 4, 6, 5)
module("Conv2d", [4, 3, [3, 2]], {"padding": [1, 2], "paddingMode": "reflect"}, nn.Conv2d(4, 3, (3, 2), padding=(1, 2), padding_mode="reflect"), img)
module("Conv2d", [4, 3, [3, 2]], {"padding": "same", "paddingMode": "circular"}, nn.Conv2d(4, 3, (3, 2), padding="same", padding_mode="circular"), img)
module("ConvTranspose1d", [3, 4, 3], {"stride": 2}, nn.ConvTranspose1d(3, 4, 3, 2), torch.randn(2, 3, 7))
module("BatchNorm2d", [4], {"momentum": None}, nn.BatchNorm2d(4, momentum=None), img)
module("AdaptiveMaxPool2d", [[4, 2]], {}, nn.AdaptiveMaxPool2d((4, 2)), img)
module("AdaptiveMaxPool1d", [3], {}, nn.AdaptiveMaxPool1d(3), torch.randn(2, 3, 7))
module("Upsample", [], {"scaleFactor": 2, "mode": "bilinear"}, nn.Upsample(scale_factor=2, mode="bilinear"), img)
module("Upsample", [], {"size": [9, 4], "mode": "bilinear", "alignCorners": True}, nn.Upsample((9, 4), mode="bilinear", align_corners=True), img)
module("Upsample", [], {"size": 7}, nn.Upsample(7), img)
module("PixelShuffle", [2], {}, nn.PixelShuffle(2), img)
module("PixelUnshuffle", [2], {}, nn.PixelUnshuffle(2), torch.randn(2, 3, 4, 6))
module("ReflectionPad2d", [[1, 2, 0, 3]], {}, nn.ReflectionPad2d((1, 2, 0, 3)), img)
module("ReplicationPad1d", [2], {}, nn.ReplicationPad1d(2), torch.randn(2, 3, 7))
for name, args in (("ZeroPad2d", [1]), ("ConstantPad2d", [2, 0.5]), ("Flatten", []), ("Unflatten", [1, [2, 2]]), ("Softmin", [1]),
                   ("Softmax", [1]), ("LogSoftmax", [-1]), ("Threshold", [0.1, 3])):
    m = getattr(nn, name)(*args)
    module(name, args, {}, m, img)
a, b, sign = torch.randn(5, 3), torch.randn(5, 3), torch.tensor([1.0, -1, -1, 1, -1])
positive, zeroOne, classes = torch.rand(5, 3) + 0.1, (torch.rand(5, 3) > 0.5).float(), torch.tensor([0, 2, 1, 1, 0])
for name, options, inputs in (
    ("PoissonNLLLoss", {}, (a, positive * 4)), ("PoissonNLLLoss", {"full": True}, (a, positive * 4)),
    ("PoissonNLLLoss", {"logInput": False}, (positive, positive * 4)),
    ("GaussianNLLLoss", {}, (a, b, positive)), ("GaussianNLLLoss", {"full": True, "reduction": "sum"}, (a, b, positive)),
    ("SoftMarginLoss", {}, (a, zeroOne * 2 - 1)), ("MultiMarginLoss", {}, (a, classes)),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5}, (a, classes)), ("MultiLabelSoftMarginLoss", {}, (a, zeroOne)),
    ("HingeEmbeddingLoss", {"margin": 0.7}, (a, zeroOne * 2 - 1)), ("CosineEmbeddingLoss", {"margin": 0.1}, (a, b, sign)),
    ("MarginRankingLoss", {"margin": 0.2, "reduction": "none"}, (a[:, 0], b[:, 0], sign)),
    ("TripletMarginLoss", {}, (a, b, positive)), ("TripletMarginLoss", {"swap": True, "p": 1}, (a, b, positive)),
    ("PairwiseDistance", {}, (a, b)), ("CosineSimilarity", {}, (a, b)), ("MSELoss", {}, (a, b)), ("L1Loss", {}, (a, b)),
    ("HuberLoss", {"delta": 0.5}, (a, b)), ("SmoothL1Loss", {"beta": 0.5}, (a, b)),
    ("CrossEntropyLoss", {"labelSmoothing": 0.1}, (a, classes)), ("BCEWithLogitsLoss", {}, (a, zeroOne)),
    ("BCELoss", {}, (positive * 0.8, zeroOne)), ("KLDivLoss", {"reduction": "batchmean"}, (a, positive)),
):
    python = {"".join("_" + c.lower() if c.isupper() else c for c in k): v for k, v in options.items()}
    module(name, [], options, getattr(nn, name)(**python), *inputs,
           wanted=(0, 1, 2) if name.startswith(("Triplet", "Pairwise")) else (0, 2) if name.startswith("Gaussian") else (0, 1) if len(inputs) == 3 else (0,))
module("Conv2d", [4, 6, 3], {"stride": 2, "padding": 1, "groups": 2}, nn.Conv2d(4, 6, 3, 2, 1, groups=2), img)
module("ConvTranspose2d", [4, 6, 3], {"stride": 2, "padding": 1, "outputPadding": 1}, nn.ConvTranspose2d(4, 6, 3, 2, 1, 1), img)
module("Conv1d", [3, 4, 2], {"dilation": 2}, nn.Conv1d(3, 4, 2, dilation=2), torch.randn(2, 3, 7))
module("BatchNorm2d", [4], {}, nn.BatchNorm2d(4), img)
module("BatchNorm1d", [3], {"momentum": 0.3}, nn.BatchNorm1d(3, momentum=0.3), torch.randn(5, 3))
module("LayerNorm", [5], {}, nn.LayerNorm(5), img)
module("GroupNorm", [2, 4], {}, nn.GroupNorm(2, 4), img)
module("InstanceNorm2d", [4], {"affine": True}, nn.InstanceNorm2d(4, affine=True), img)
module("Embedding", [6, 3], {"paddingIdx": 1}, nn.Embedding(6, 3, padding_idx=1), torch.tensor([[0, 1, 5], [1, 2, 2]]))
module("Linear", [5, 3], {}, nn.Linear(5, 3), img)
module("PReLU", [4], {}, nn.PReLU(4), img)
module("MaxPool2d", [2], {"stride": 1}, nn.MaxPool2d(2, 1), img)
module("AvgPool2d", [3], {"stride": 2, "padding": 1}, nn.AvgPool2d(3, 2, 1), img)
module("AdaptiveAvgPool2d", [2], {}, nn.AdaptiveAvgPool2d(2), img)
for name in ("ReLU6", "SiLU", "Mish", "SELU", "Hardswish", "Hardsigmoid", "Softsign", "Tanhshrink", "LogSigmoid", "ELU",
             "Softplus", "Hardtanh", "LeakyReLU", "GELU", "GLU"):
    module(name, [], {}, getattr(nn, name)(), torch.randn(3, 4) * 3)

def wrapped(wrap, name, args, options, m, *inputs):
    module(name, args, options, m, *inputs)
    lines[-1]["wrap"] = wrap


wrapped("weightNorm", "Linear", [5, 3], {}, nn.utils.weight_norm(nn.Linear(5, 3)), img)
wrapped("weightNorm", "Conv2d", [4, 6, 3], {}, nn.utils.weight_norm(nn.Conv2d(4, 6, 3)), img)
wrapped("spectralNorm", "Linear", [5, 3], {}, nn.utils.spectral_norm(nn.Linear(5, 3)), img)
wrapped("spectralNorm", "Conv2d", [4, 6, 3], {}, nn.utils.spectral_norm(nn.Conv2d(4, 6, 3)), img)
module("MultiLabelMarginLoss", [], {}, nn.MultiLabelMarginLoss(), torch.randn(3, 4), torch.tensor([[3, 0, -1, 1], [-1, 0, 1, 2], [0, 1, 2, 3]]), wanted=(0,))
targets = torch.tensor([[1, 2, 2], [3, 1, 1], [2, 3, 1]])
for options, kwargs in (({}, {}), ({"reduction": "sum", "blank": 4}, dict(reduction="sum", blank=4)), ({"reduction": "none", "zeroInfinity": True}, dict(reduction="none", zero_infinity=True))):
    # PyTorch's gradient is that of the input of log_softmax, so ours is compared there too. The last sequence is too short for
    # 3 labels.
    for last in (6, 2) if "zeroInfinity" in options else (6,):
        z = torch.randn(7, 3, 5, requires_grad=True)
        out = nn.functional.ctc_loss(z.log_softmax(2), targets, torch.tensor([7, 5, last]), torch.tensor([3, 2, 3]), **kwargs)
        out.sum().backward()
        lines.append({"kind": "ctc", "name": "CTCLoss", "args": [], "options": options, "last": last, "input": data(z), "output": data(out), "grad": data(z.grad)})
w0, xs, ys = torch.randn(3, 2, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64), torch.rand(6, 2, dtype=torch.float64)
for options, kwargs in (({"maxIter": 4}, dict(max_iter=4)), ({"lr": 0.5, "maxIter": 5, "historySize": 2}, dict(lr=0.5, max_iter=5, history_size=2))):
    w = w0.clone().requires_grad_()
    opt = torch.optim.LBFGS([w], **kwargs)

    def closure():
        opt.zero_grad()
        loss = ((torch.tanh(xs @ w) - ys) ** 2).mean()
        loss.backward()
        return loss

    path = [(data(w), opt.step(closure).item())[0] for _ in range(5)]
    lines.append({"kind": "lbfgs", "name": "LBFGS", "args": [], "options": options, "start": data(w0), "x": data(xs), "y": data(ys), "path": path[1:] + [data(w)]})

x, y = torch.randn(6, 3), torch.rand(6, 2)
for name, options, kwargs in (
    ("Adamax", {"lr": 0.05, "weightDecay": 0.1}, dict(lr=0.05, weight_decay=0.1)),
    # NAdam is left out: this version (1.13) multiplies by mu once too often, which 2.x corrected.
    ("RAdam", {"lr": 0.05}, dict(lr=0.05)),
    ("Adadelta", {"lr": 0.5, "weightDecay": 0.1}, dict(lr=0.5, weight_decay=0.1)),
    ("Adagrad", {"lr": 0.1, "lrDecay": 0.2, "initialAccumulatorValue": 0.3}, dict(lr=0.1, lr_decay=0.2, initial_accumulator_value=0.3)),
    ("AdamW", {"lr": 0.05, "amsgrad": True}, dict(lr=0.05, amsgrad=True)),
    ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.5}, dict(lr=0.02, centered=True, momentum=0.5)),
):
    w = torch.randn(3, 2, requires_grad=True)
    start = data(w)
    opt = getattr(torch.optim, name)([w], **kwargs)
    path = []
    for _ in range(10):
        opt.zero_grad()
        ((torch.tanh(x @ w) - y) ** 2).mean().backward()
        opt.step()
        path.append(data(w))
    lines.append({"kind": "optim", "name": name, "options": options, "w": start, "x": data(x), "y": data(y), "path": path})

S = torch.optim.lr_scheduler
for name, options, make in (
    ("StepLR", {"stepSize": 3, "gamma": 0.5}, lambda o: S.StepLR(o, 3, 0.5)),
    ("MultiStepLR", {"milestones": [2, 5]}, lambda o: S.MultiStepLR(o, [2, 5])),
    ("ExponentialLR", {"gamma": 0.9}, lambda o: S.ExponentialLR(o, 0.9)),
    ("CosineAnnealingLR", {"tMax": 8, "etaMin": 0.01}, lambda o: S.CosineAnnealingLR(o, 8, 0.01)),
    ("CosineAnnealingWarmRestarts", {"t0": 3, "tMult": 2}, lambda o: S.CosineAnnealingWarmRestarts(o, 3, 2)),
    ("OneCycleLR", {"maxLr": 1.0, "totalSteps": 12}, lambda o: S.OneCycleLR(o, 1.0, 12, cycle_momentum=False)),
    ("LinearLR", {"totalIters": 4}, lambda o: S.LinearLR(o, total_iters=4)),
    ("ConstantLR", {"totalIters": 4}, lambda o: S.ConstantLR(o, total_iters=4)),
    ("PolynomialLR", {"totalIters": 6, "power": 2}, lambda o: S.PolynomialLR(o, 6, 2)),
):
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
    s = make(opt)
    rates = [opt.param_groups[0]["lr"]]
    for _ in range(10):
        opt.step()
        s.step()
        rates.append(opt.param_groups[0]["lr"])
    lines.append({"kind": "scheduler", "name": name, "options": options, "lr": 0.2, "rates": rates})
opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
s = S.ReduceLROnPlateau(opt, factor=0.5, patience=1, cooldown=1)
metrics = [5, 4, 4.5, 4.4, 4.3, 4.2, 4.1, 3, 3.5, 3.5, 3.5]
rates = []
for v in metrics:
    s.step(v)
    rates.append(opt.param_groups[0]["lr"])
lines.append({"kind": "plateau", "metrics": metrics, "rates": rates})

line1, picture, many = torch.randn(2, 3, 7), torch.randn(2, 3, 5, 6), torch.randn(4, 5) * 2
for name, args, m, x in (
    ("AdaptiveAvgPool1d", [3], nn.AdaptiveAvgPool1d(3), line1), ("AvgPool1d", [2], nn.AvgPool1d(2), line1),
    ("MaxPool1d", [3], nn.MaxPool1d(3), line1), ("InstanceNorm1d", [3], nn.InstanceNorm1d(3), line1),
    ("ConstantPad1d", [2, 0.5], nn.ConstantPad1d(2, 0.5), line1), ("ReflectionPad1d", [2], nn.ReflectionPad1d(2), line1),
    ("ReplicationPad2d", [[1, 2, 0, 3]], nn.ReplicationPad2d((1, 2, 0, 3)), picture),
    ("ReLU", [], nn.ReLU(), many), ("Sigmoid", [], nn.Sigmoid(), many), ("Tanh", [], nn.Tanh(), many), ("CELU", [], nn.CELU(), many),
    ("Hardshrink", [], nn.Hardshrink(), many), ("Softshrink", [], nn.Softshrink(), many), ("Identity", [], nn.Identity(), many),
):
    module(name, args, {}, m, x)
module("NLLLoss", [], {}, nn.NLLLoss(), many.log_softmax(1), torch.tensor([0, 4, 2, 2]), wanted=(0,))

e5, e6 = torch.randn(4, 3, 5), torch.randn(4, 3, 6)
module("MultiheadAttention", [8, 2], {"kdim": 5, "vdim": 6}, nn.MultiheadAttention(8, 2, kdim=5, vdim=6), torch.randn(2, 3, 8), e5, e6)
module("MultiheadAttention", [8, 2], {"addBiasKv": True, "addZeroAttn": True}, nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True), e, e, e)
module("LSTM", [3, 5], {"projSize": 2}, nn.LSTM(3, 5, proj_size=2), torch.randn(5, 2, 3))
module("LSTM", [3, 5], {"projSize": 2, "numLayers": 2, "bidirectional": True}, nn.LSTM(3, 5, 2, proj_size=2, bidirectional=True), torch.randn(5, 2, 3))
module("Embedding", [4, 3], {"maxNorm": 0.5}, nn.Embedding(4, 3, max_norm=0.5), torch.tensor([[1, 0], [3, 1]]))
module("LocalResponseNorm", [3], {"alpha": 0.5, "k": 2}, nn.LocalResponseNorm(3, 0.5, 0.75, 2), torch.randn(2, 5, 3, 2))
module("LocalResponseNorm", [2], {}, nn.LocalResponseNorm(2), torch.randn(2, 5, 3))
module("Unfold", [[2, 3]], {"stride": [1, 2], "padding": 1, "dilation": [2, 1]}, nn.Unfold((2, 3), (2, 1), 1, (1, 2)), picture)
module("Fold", [[4, 5], 2], {"padding": 1, "stride": 2}, nn.Fold((4, 5), 2, 1, 1, 2), torch.randn(2, 12, 9))
module("AdaptiveLogSoftmaxWithLoss", [8, 20, [4, 10]], {"divValue": 2, "headBias": True},
       nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], 2.0, True), torch.randn(5, 8), torch.tensor([0, 5, 19, 3, 12]))
module("TripletMarginWithDistanceLoss", [], {"swap": True, "margin": 0.5}, nn.TripletMarginWithDistanceLoss(swap=True, margin=0.5), many, many.flip(0), many.flip(1))


def functional(name, inputs, options, **kwargs):
    """Of several tensors, each of which requires grad."""
    ins = [i.clone().requires_grad_() if torch.is_tensor(i) else i for i in inputs]
    snake = "".join("_" + c.lower() if c.isupper() else c for c in name)
    out = getattr(nn.functional, snake)(*ins, **kwargs)
    weight = torch.randn_like(out)
    (out * weight).sum().backward()
    lines.append({"kind": "functional", "name": name, "options": options, "inputs": [data(i) if torch.is_tensor(i) else i for i in ins],
                  "output": data(out), "weight": data(weight), "inputGrads": [data(i.grad) if torch.is_tensor(i) and i.grad is not None else None for i in ins]})


for corners in (False, True):
    functional("affineGrid", [torch.randn(2, 2, 3), [2, 1, 3, 4]], {"alignCorners": corners}, align_corners=corners)
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            functional("gridSample", [picture, torch.rand(2, 3, 2, 2) * 3 - 1.5], {"mode": mode, "paddingMode": padding, "alignCorners": corners},
                       mode=mode, padding_mode=padding, align_corners=corners)

volume = torch.randn(2, 4, 3, 5, 4)
module("Conv3d", [4, 6, [2, 3, 1]], {"stride": [1, 2, 1], "padding": [1, 0, 0], "groups": 2}, nn.Conv3d(4, 6, (2, 3, 1), (1, 2, 1), (1, 0, 0), groups=2), volume)
module("Conv3d", [4, 2, 3], {"padding": 1, "paddingMode": "replicate"}, nn.Conv3d(4, 2, 3, padding=1, padding_mode="replicate"), volume)
module("ConvTranspose3d", [4, 3, 2], {"stride": 2, "outputPadding": 1}, nn.ConvTranspose3d(4, 3, 2, 2, output_padding=1), volume[:, :, :2, :2, :2])
module("BatchNorm3d", [4], {}, nn.BatchNorm3d(4), volume)
module("InstanceNorm3d", [4], {"affine": True}, nn.InstanceNorm3d(4, affine=True), volume)
module("InstanceNorm2d", [4], {"affine": True}, nn.InstanceNorm2d(4, affine=True), volume[0, :, 0])
module("ReflectionPad3d", [[1, 2, 0, 3, 1, 1]], {}, nn.ReflectionPad3d((1, 2, 0, 3, 1, 1)), volume)
module("ReplicationPad3d", [2], {}, nn.ReplicationPad3d(2), volume[0])
module("ConstantPad3d", [1, 0.5], {}, nn.ConstantPad3d(1, 0.5), volume)

def packed(name, options, m, *states):
    """Over sequences of lengths 2, 4, 3, with initial states."""
    sequences = [torch.randn(n, 3, requires_grad=True) for n in (2, 4, 3)]
    states = [s.requires_grad_() for s in states]
    given = (tuple(states) if len(states) == 2 else states[0]) if states else None
    out, last = m(nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False), given)
    flat = [out.data, *(last if isinstance(last, tuple) else [last])]
    weights = [torch.randn_like(o) for o in flat]
    sum((o * w).sum() for o, w in zip(flat, weights)).backward()
    lines.append({"kind": "packed", "name": name, "args": [3, 4], "options": options, "state": {k: data(v) for k, v in m.state_dict().items()},
                  "sequences": [data(s) for s in sequences], "states": [data(s) for s in states], "batchSizes": out.batch_sizes.tolist(),
                  "outputs": [data(o) for o in flat], "weights": [data(w) for w in weights],
                  "grads": {k: data(p.grad) for k, p in m.named_parameters()},
                  "inputGrads": [data(s.grad) for s in [*sequences, *states]]})


packed("RNN", {"nonlinearity": "relu"}, nn.RNN(3, 4, nonlinearity="relu"))
packed("RNN", {"bidirectional": True}, nn.RNN(3, 4, bidirectional=True), torch.randn(2, 3, 4))
packed("GRU", {"numLayers": 2, "bidirectional": True}, nn.GRU(3, 4, 2, bidirectional=True), torch.randn(4, 3, 4))
packed("LSTM", {"numLayers": 2}, nn.LSTM(3, 4, 2))
packed("LSTM", {"bidirectional": True, "projSize": 2}, nn.LSTM(3, 4, bidirectional=True, proj_size=2), torch.randn(2, 3, 2), torch.randn(2, 3, 4))

filled = torch.tensor([[0, 1, 5], [1, 1, 2], [1, 1, 1]])
for mode in ("mean", "sum", "max"):
    module("EmbeddingBag", [6, 3], {"mode": mode, "paddingIdx": 1}, nn.EmbeddingBag(6, 3, mode=mode, padding_idx=1), filled)

for options in ({}, {"affine": True, "momentum": 0.3}):
    module("InstanceNorm2d", [4], {"trackRunningStats": True, **options}, nn.InstanceNorm2d(4, track_running_stats=True, **options), img)

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "nn.jsonl"), "w") as f:
    for line in lines:
        f.write(json.dumps(line) + "\n")
