"""Writes states/: weights of modules and a state of an optimizer as PyTorch saves them, with what the modules give.

Run: python3 make_states.py            writes the files
     python3 make_states.py check DIR  reads what gradgate wrote in DIR (the same names) and compares with PyTorch's
"""
import json, os, struct, sys
import numpy, torch
from torch import nn

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "states")
names = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.int32: "I32"}
types = {v: k for k, v in names.items()}


def save(path, tensors):
    """The safetensors format: the length of a header in JSON, the header, the bytes."""
    header, parts, at = {}, [], 0
    for name, t in sorted(tensors.items(), key=lambda e: -e[1].element_size()):
        data = t.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": names[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def load(path):
    with open(path, "rb") as f:
        raw = f.read()
    n = struct.unpack("<Q", raw[:8])[0]
    tensors = {}
    for name, e in json.loads(raw[8:8 + n]).items():
        if name != "__metadata__":
            a, b = e["data_offsets"]
            t = torch.frombuffer(bytearray(raw[8 + n + a:8 + n + b]) or bytearray(8), dtype=types[e["dtype"]])
            tensors[name] = t[:numpy.prod(e["shape"], dtype=int)].reshape(e["shape"])
    return tensors


class Small(nn.Module):
    """A whole model: words, an encoder, convolution, batch norm, a recurrent layer, a head with a tied weight."""

    def __init__(self):
        super().__init__()
        self.tok_emb = nn.Embedding(11, 8)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True), 2, nn.LayerNorm(8))
        self.conv = nn.Conv1d(8, 6, 3, padding=1)
        self.batch_norm = nn.BatchNorm1d(6)
        self.act = nn.PReLU()
        self.rnn = nn.GRU(6, 4, bidirectional=True, batch_first=True)
        self.blocks = nn.ModuleList([nn.Linear(8, 8), nn.Sequential(nn.Linear(8, 8), nn.Tanh())])
        self.lm_head = nn.Linear(8, 11, bias=False)
        self.lm_head.weight = self.tok_emb.weight

    def forward(self, x):
        x = self.encoder(self.tok_emb(x))
        x = self.act(self.batch_norm(self.conv(x.transpose(1, 2)))).transpose(1, 2)
        x, _ = self.rnn(x)
        for block in self.blocks:
            x = block(x)
        return self.lm_head(x)


def models():
    t = lambda *s: torch.randn(*s)
    return {
        "batchNorm": (nn.BatchNorm2d(3), [t(2, 3, 4, 4)]),
        "lstm": (nn.LSTM(3, 4, num_layers=2, bidirectional=True), [t(5, 2, 3)]),
        "rnnCell": (nn.LSTMCell(3, 4), [t(2, 3)]),
        "attention": (nn.MultiheadAttention(8, 2), [t(4, 2, 8)] * 3),
        "encoder": (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.0), 2, nn.LayerNorm(8)), [t(4, 2, 8)]),
        "transformer": (nn.Transformer(8, 2, 1, 1, 16, 0.0), [t(4, 2, 8), t(3, 2, 8)]),
        "prelu": (nn.PReLU(3), [t(2, 3)]),
        "embeddingBag": (nn.EmbeddingBag(5, 3), [torch.tensor([[0, 1], [2, 4]])]),
        "instanceNorm": (nn.InstanceNorm1d(3, affine=True), [t(2, 3, 5)]),
        "weightNorm": (nn.utils.weight_norm(nn.Linear(3, 2)), [t(2, 3)]),
        "spectralNorm": (nn.utils.spectral_norm(nn.Linear(3, 2)), [t(2, 3)]),
        "decoder": (nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, 0.0, norm_first=True), 1), [t(4, 2, 8), t(3, 2, 8)]),
        "spectralTransposed": (nn.utils.spectral_norm(nn.ConvTranspose2d(2, 3, 2)), [t(1, 2, 3, 3)]),
        "small": (Small(), [torch.tensor([[1, 2, 3, 10], [4, 5, 0, 7]])]),
    }


def scramble(model):
    """Weights and statistics that no constructor gives."""
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn_like(p) * 0.4)
        for name, b in model.named_buffers():
            if b.dtype == torch.int64:
                b.fill_(7)
            elif name.endswith("running_var"):
                b.copy_(torch.rand_like(b) + 0.5)
            elif name.endswith("running_mean"):
                b.copy_(torch.randn_like(b))


def outputs(model, inputs):
    out = model.eval()(*inputs)
    return [o.tolist() for o in (out if isinstance(out, tuple) else (out,)) if isinstance(o, torch.Tensor)]


def optimizer_of(model):
    return torch.optim.AdamW(model.parameters(), lr=0.02, amsgrad=True)


def train(model, optimizer, steps):
    x = torch.arange(6.0).reshape(2, 3) / 5
    for _ in range(steps):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()


def plain(state):
    return {"state": {k: {n: v.tolist() for n, v in s.items()} for k, s in state["state"].items()},
            "param_groups": state["param_groups"]}


torch.manual_seed(0)
all_models = models()
if sys.argv[1:2] == ["check"]:
    folder = sys.argv[2]
    expected = json.load(open(os.path.join(here, "states.json")))
    for name, (model, _) in all_models.items():
        missing = model.load_state_dict(load(os.path.join(folder, name + ".safetensors")), strict=True)
        case = expected[name]
        ins = [torch.tensor(i) for i in case["inputs"]]
        with torch.no_grad():
            for got, want in zip(outputs(model, ins), case["outputs"]):
                assert torch.allclose(torch.tensor(got), torch.tensor(want), atol=1e-6), name
        print(name, "reads and gives the same:", missing)
    state = json.load(open(os.path.join(folder, "adamw.json")))
    for s in state["state"].values():
        s.update({k: torch.tensor(v) for k, v in s.items()})
    state["state"] = {int(k): v for k, v in state["state"].items()}
    torch.manual_seed(1)
    model = nn.Linear(3, 2)
    model.load_state_dict({k: torch.tensor(v) for k, v in expected["adamw"]["weights"].items()})
    optimizer = optimizer_of(model)
    groups = [{**a, **b} for a, b in zip(optimizer.state_dict()["param_groups"], state["param_groups"])]
    optimizer.load_state_dict({"state": state["state"], "param_groups": groups})
    train(model, optimizer, 2)
    for k, v in model.state_dict().items():
        assert torch.allclose(v, torch.tensor(expected["adamw"]["after"][k]), atol=1e-6), k
    print("adamw goes on the same")
else:
    os.makedirs(here, exist_ok=True)
    result = {}
    for name, (model, inputs) in all_models.items():
        scramble(model)
        with torch.no_grad():
            result[name] = {"inputs": [i.tolist() for i in inputs], "outputs": outputs(model, inputs)}
        save(os.path.join(here, name + ".safetensors"), model.state_dict())
    torch.manual_seed(1)
    model = nn.Linear(3, 2)
    optimizer = optimizer_of(model)
    train(model, optimizer, 3)
    weights = {k: v.tolist() for k, v in model.state_dict().items()}
    saved = plain(optimizer.state_dict())
    train(model, optimizer, 2)
    result["adamw"] = {"state": saved, "weights": weights, "after": {k: v.tolist() for k, v in model.state_dict().items()}}
    json.dump(result, open(os.path.join(here, "states.json"), "w"))
