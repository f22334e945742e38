"""Writes bert/: a small BERT under the names that Hugging Face's BertModel gives its weights, trained a little to fill in words
that were masked, its vocabulary, and what it gives for two sentences.

Run: python3 make_bert.py
"""
import json, math, os, struct
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bert")
hidden, heads, inner, layers, places = 32, 4, 64, 2, 16


class Embeddings(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.word_embeddings = nn.Embedding(words, hidden, padding_idx=0)
        self.position_embeddings = nn.Embedding(places, hidden)
        self.token_type_embeddings = nn.Embedding(2, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=1e-12)

    def forward(self, ids):
        at = torch.arange(ids.shape[1])
        types = torch.zeros_like(ids)
        return self.LayerNorm(self.word_embeddings(ids) + self.position_embeddings(at) + self.token_type_embeddings(types))


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(hidden, hidden) for _ in range(3))

    def forward(self, x, mask):
        split = lambda t: t.reshape(*t.shape[:2], heads, hidden // heads).transpose(1, 2)
        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        scores = q @ k.transpose(2, 3) / math.sqrt(hidden // heads)
        weights = scores.masked_fill(~mask[:, None, None], -math.inf).softmax(3)
        return (weights @ v).transpose(1, 2).reshape(x.shape)


class Output(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.dense = nn.Linear(size, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=1e-12)

    def forward(self, x, before):
        return self.LayerNorm(self.dense(x) + before)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.self = SelfAttention()
        self.output = Output(hidden)

    def forward(self, x, mask):
        return self.output(self.self(x, mask), x)


class Intermediate(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(hidden, inner)

    def forward(self, x):
        return F.gelu(self.dense(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.intermediate, self.output = Attention(), Intermediate(), Output(inner)

    def forward(self, x, mask):
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ModuleList(Layer() for _ in range(layers))


class Pooler(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(hidden, hidden)


class Bert(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.embeddings, self.encoder, self.pooler = Embeddings(words), Encoder(), Pooler()

    def forward(self, ids):
        mask, x = ids != 0, self.embeddings(ids)
        for layer in self.encoder.layer:
            x = layer(x, mask)
        return x, torch.tanh(self.pooler.dense(x[:, 0]))


def save(path, tensors):
    """The safetensors format: the length of a header in JSON, the header, the bytes."""
    header, parts, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, t in tensors.items():
        data = t.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


opinions = ["awful", "dull and slow", "a waste of money", "cold and bland", "wonderful", "a joy", "fresh and bright", "well worth it"]
texts = [
    f"{place} {verb} {opinion} {end}".split()
    for place in ["the film", "this book", "the food", "our room"]
    for verb in ["was", "seemed", "is really"]
    for opinion in opinions
    for end in ["at first", "to all of us", ""]
]
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({word for text in texts for word in text})]
index = {word: i for i, word in enumerate(vocabulary)}


def encode(words):
    ids = [index["[CLS]"], *(index.get(word, 1) for word in words), index["[SEP]"]]
    return ids + [0] * (places - len(ids))


model = Bert(len(vocabulary))
decoder = nn.Linear(hidden, len(vocabulary))
ids = torch.tensor([encode(text) for text in texts])
optimizer = torch.optim.Adam([*model.parameters(), *decoder.parameters()], lr=3e-3)
for step in range(400):
    batch = ids[torch.randint(len(ids), (64,))]
    masked = (torch.rand(batch.shape) < 0.2) & (batch > 4)
    sequence, pooled = model(batch.masked_fill(masked, index["[MASK]"]))
    # The pooled output too is to say what the sentence is of.
    bag = torch.zeros(64, len(vocabulary)).scatter_(1, batch, 1)[:, 5:]
    loss = F.cross_entropy(decoder(sequence)[masked], batch[masked])
    loss = loss + F.binary_cross_entropy_with_logits(decoder(pooled)[:, 5:], bag)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.3f}")

os.makedirs(here, exist_ok=True)
save(os.path.join(here, "model.safetensors"), model.state_dict())
sentences = ["the film was a joy", "our room seemed cold and bland at first"]
with torch.no_grad():
    sequence, pooled = model(torch.tensor([encode(s.split()) for s in sentences]))
# What lies beyond the end of a sentence is of no use, and is left out.
ends = [len(s.split()) + 2 for s in sentences]
rounded = lambda t: [[round(v, 6) for v in row] for row in t.tolist()]
outputs = [
    {"text": s, "sequence": rounded(x[:n]), "pooled": rounded(p[None])[0]} for s, x, p, n in zip(sentences, sequence, pooled, ends)
]
with open(os.path.join(here, "vocab.json"), "w") as f:
    json.dump(index, f)
with open(os.path.join(here, "outputs.json"), "w") as f:
    json.dump(outputs, f)
