"""Losses of seven models over five steps, by PyTorch: python3 make_models.py > models.json

Parameters and inputs are filled by a formula, in float64, so that only the losses need to be stored.
"""
import json
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def wave(shape, phase, scale=1.0):
    count = math.prod(shape)
    return torch.tensor([scale * math.sin(phase + 0.7 * i) for i in range(count)]).reshape(shape)


def fill(model):
    for at, (name, p) in enumerate(model.named_parameters()):
        scale = 1 / math.sqrt(p[0].numel()) if p.ndim > 1 else 0.1
        p.data.copy_(wave(p.shape, at, scale) + (1 if p.ndim == 1 and name.endswith('weight') else 0))
    return model


def codes(shape, below, stride=7):
    return (torch.arange(math.prod(shape)) * stride % below).reshape(shape)


# GPT, after nanoGPT: the head shares its weight with the embedding, and only matrices have weight decay.


class CausalSelfAttention(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.heads = heads
        self.attn = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.register_buffer('mask', torch.tril(torch.ones(context, context)).view(1, 1, context, context))

    def forward(self, x):
        b, t, c = x.size()
        q, k, v = (s.view(b, t, self.heads, c // self.heads).transpose(1, 2) for s in self.attn(x).split(c, dim=2))
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.mask[:, :, :t, :t] == 0, float('-inf'))
        y = F.softmax(att, dim=-1) @ v
        return self.proj(y.transpose(1, 2).contiguous().view(b, t, c))


class Block(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.ln1 = nn.LayerNorm(width)
        self.attn = CausalSelfAttention(width, heads, context)
        self.ln2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, vocabulary=11, context=8, width=12, heads=3, layers=2):
        super().__init__()
        self.transformer = nn.ModuleDict(dict(
            wte=nn.Embedding(vocabulary, width),
            wpe=nn.Embedding(context, width),
            h=nn.ModuleList([Block(width, heads, context) for _ in range(layers)]),
            lnF=nn.LayerNorm(width),
        ))
        self.lmHead = nn.Linear(width, vocabulary, bias=False)
        self.transformer.wte.weight = self.lmHead.weight

    def forward(self, idx, targets):
        x = self.transformer.wte(idx) + self.transformer.wpe(torch.arange(idx.size(1)))
        for block in self.transformer.h:
            x = block(x)
        logits = self.lmHead(self.transformer.lnF(x))
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))


def gpt():
    model = fill(GPT())
    params = list(model.parameters())
    groups = [
        {'params': [p for p in params if p.dim() >= 2], 'weight_decay': 0.1},
        {'params': [p for p in params if p.dim() < 2], 'weight_decay': 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.95))
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=5)
    idx, targets = codes((2, 8), 11), codes((2, 8), 11, 5)

    def step():
        optimizer.zero_grad()
        loss = model(idx, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        scheduler.step()
        return loss
    return step


# ResNet of basic blocks.


class BasicBlock(nn.Module):
    def __init__(self, inputs, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = None
        if stride != 1 or inputs != planes:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, planes, 1, stride=stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + identity)


class ResNet(nn.Module):
    def __init__(self, blocks=(1, 1), classes=5, width=4):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        layers, inputs = [], width
        for i, count in enumerate(blocks):
            planes = width * 2 ** i
            for j in range(count):
                layers.append(BasicBlock(inputs, planes, 2 if i > 0 and j == 0 else 1))
                inputs = planes
        self.layers = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        return self.fc(torch.flatten(self.avgpool(self.layers(x)), 1))


def resnet():
    model = fill(ResNet())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4, nesterov=True)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 4])
    x, y = wave((4, 3, 16, 16), 0.3), codes((4,), 5, 3)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    def after():
        model.eval()
        return model(x).abs().sum()
    return step, after


# A variational autoencoder.


class VAE(nn.Module):
    def __init__(self, inputs=20, hidden=8, latent=3):
        super().__init__()
        self.fc1 = nn.Linear(inputs, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, inputs)

    def forward(self, x, eps):
        h = F.relu(self.fc1(x.view(-1, 20)))
        mu, logvar = self.fc21(h), self.fc22(h)
        z = mu + eps * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar


def vae():
    model = fill(VAE())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    x, eps = wave((6, 4, 5), 0.1).abs(), wave((6, 3), 2.0)

    def step():
        optimizer.zero_grad()
        recon, mu, logvar = model(x, eps)
        bce = F.binary_cross_entropy(recon, x.view(-1, 20), reduction='sum')
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        loss = bce + kld
        loss.backward()
        optimizer.step()
        return loss
    return step


# PPO's clipped objective.


class ActorCritic(nn.Module):
    def __init__(self, observations=4, actions=3):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(observations, 8), nn.Tanh(), nn.Linear(8, actions))
        self.critic = nn.Sequential(nn.Linear(observations, 8), nn.Tanh(), nn.Linear(8, 1))

    def evaluate(self, observation, action):
        dist = torch.distributions.Categorical(logits=self.actor(observation))
        return dist.log_prob(action), dist.entropy(), self.critic(observation).squeeze(-1)


def ppo():
    model = fill(ActorCritic())
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, eps=1e-5)
    observation, action = wave((10, 4), 0.5), codes((10,), 3)
    returns, advantage = wave((10,), 1.0), wave((10,), 2.0)
    with torch.no_grad():
        old = model.evaluate(observation, action)[0] - wave((10,), 3.0, 0.3)
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)

    def step():
        log_prob, entropy, value = model.evaluate(observation, action)
        ratio = (log_prob - old).exp()
        surrogate = torch.max(-advantage * ratio, -advantage * ratio.clamp(0.8, 1.2)).mean()
        loss = surrogate + 0.5 * ((value - returns) ** 2).mean() - 0.01 * entropy.mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        return loss
    return step


# A denoising diffusion model with a small U-Net.


def time_embedding(t, width):
    frequencies = torch.exp(-math.log(10000) * torch.arange(width // 2) / (width // 2))
    angles = t[:, None] * frequencies[None]
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Residual(nn.Module):
    def __init__(self, inputs, outputs, time):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(2, inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time = nn.Linear(time, outputs)
        self.norm2, self.conv2 = nn.GroupNorm(2, outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, t):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(t))[:, :, None, None]
        return self.conv2(F.silu(self.norm2(h))) + self.skip(x)


class UNet(nn.Module):
    def __init__(self, channels=1, width=4, time=8):
        super().__init__()
        self.width = width
        self.time = nn.Sequential(nn.Linear(width, time), nn.SiLU(), nn.Linear(time, time))
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down = Residual(width, width, time)
        self.downsample = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.middle = Residual(2 * width, 2 * width, time)
        self.attention = nn.MultiheadAttention(2 * width, 2, batch_first=True)
        self.upsample = nn.Sequential(nn.Upsample(scale_factor=2, mode='nearest'), nn.Conv2d(2 * width, width, 3, padding=1))
        self.up = Residual(2 * width, width, time)
        self.last = nn.Conv2d(width, channels, 1)

    def forward(self, x, t):
        t = self.time(time_embedding(t, self.width))
        skip = self.down(self.first(x), t)
        h = self.middle(self.downsample(skip), t)
        b, c, height, width = h.shape
        tokens = h.flatten(2).transpose(1, 2)
        h = h + self.attention(tokens, tokens, tokens, need_weights=False)[0].transpose(1, 2).view(b, c, height, width)
        return self.last(self.up(torch.cat([self.upsample(h), skip], dim=1), t))


def ddpm():
    model = fill(UNet())
    betas = torch.linspace(1e-4, 0.02, 50)
    kept = torch.cumprod(1 - betas, dim=0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    image, noise, t = wave((3, 1, 8, 8), 0.4), wave((3, 1, 8, 8), 2.2), torch.tensor([3, 20, 47])

    def step():
        a = kept.gather(0, t).view(-1, 1, 1, 1)
        noisy = a.sqrt() * image + (1 - a).sqrt() * noise
        loss = F.mse_loss(model(noisy, t.to(image.dtype)), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step


# A graph convolutional network over a sparse adjacency matrix.


class GCN(nn.Module):
    def __init__(self, inputs=5, hidden=6, classes=3):
        super().__init__()
        self.lin1 = nn.Linear(inputs, hidden, bias=False)
        self.lin2 = nn.Linear(hidden, classes, bias=False)

    def forward(self, x, adjacency):
        h = F.elu(torch.sparse.mm(adjacency, self.lin1(x)))
        return F.log_softmax(torch.sparse.mm(adjacency, self.lin2(h)), dim=1)


def gcn():
    model = fill(GCN())
    nodes = 7
    source = torch.tensor([0, 1, 1, 2, 3, 4, 5, 6, 0, 2])
    target = torch.tensor([1, 0, 2, 1, 4, 3, 6, 5, 6, 5])
    source, target = torch.cat([source, torch.arange(nodes)]), torch.cat([target, torch.arange(nodes)])
    degree = torch.zeros(nodes).index_add(0, target, torch.ones(len(target)))
    weight = degree[source].rsqrt() * degree[target].rsqrt()
    adjacency = torch.sparse_coo_tensor(torch.stack([target, source]), weight, (nodes, nodes))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05, weight_decay=5e-4)
    x, y, mask = wave((nodes, 5), 0.2), codes((nodes,), 3, 2), torch.tensor([True, True, False, True, False, True, True])

    def step():
        optimizer.zero_grad()
        loss = F.nll_loss(model(x, adjacency)[mask], y[mask])
        loss.backward()
        optimizer.step()
        return loss
    return step


# Sequence to sequence: a packed GRU encoder, and a decoder with attention.


class Encoder(nn.Module):
    def __init__(self, vocabulary, width):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.gru = nn.GRU(width, width, batch_first=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(x), lengths, batch_first=True, enforce_sorted=False)
        out, hidden = self.gru(packed)
        return nn.utils.rnn.pad_packed_sequence(out, batch_first=True)[0], hidden


class Decoder(nn.Module):
    def __init__(self, vocabulary, width):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.gru = nn.GRUCell(2 * width, width)
        self.out = nn.Linear(2 * width, vocabulary)

    def forward(self, token, hidden, encoded, hidden_mask):
        scores = torch.bmm(encoded, hidden.unsqueeze(2)).squeeze(2).masked_fill(hidden_mask, float('-inf'))
        context = torch.bmm(F.softmax(scores, dim=1).unsqueeze(1), encoded).squeeze(1)
        hidden = self.gru(torch.cat([self.embedding(token), context], dim=1), hidden)
        return self.out(torch.cat([hidden, context], dim=1)), hidden


class Seq2Seq(nn.Module):
    def __init__(self, vocabulary=9, width=6):
        super().__init__()
        self.encoder, self.decoder = Encoder(vocabulary, width), Decoder(vocabulary, width)

    def forward(self, x, lengths, y):
        encoded, hidden = self.encoder(x, lengths)
        hidden, padding, logits = hidden[-1], x == 0, []
        for i in range(y.size(1) - 1):
            scores, hidden = self.decoder(y[:, i], hidden, encoded, padding)
            logits.append(scores)
        return torch.stack(logits, dim=1)


def seq2seq():
    model = fill(Seq2Seq())
    with torch.no_grad():
        for part in (model.encoder, model.decoder):
            part.embedding.weight[0].zero_()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    x = torch.tensor([[3, 4, 5, 0], [2, 8, 1, 6], [7, 5, 0, 0]])
    y = torch.tensor([[1, 5, 4, 3, 2], [1, 6, 8, 2, 0], [1, 5, 7, 2, 0]])

    def step():
        optimizer.zero_grad()
        logits = model(x, torch.tensor([3, 4, 2]), y)
        loss = F.cross_entropy(logits.flatten(0, 1), y[:, 1:].flatten(), ignore_index=0)
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
        return loss
    return step


result = {}
for make in (gpt, resnet, vae, ppo, ddpm, gcn, seq2seq):
    made = make()
    step, after = made if isinstance(made, tuple) else (made, None)
    result[make.__name__] = [step().item() for _ in range(5)]
    if after:
        result[make.__name__].append(after().item())
print(json.dumps(result, indent=2))
