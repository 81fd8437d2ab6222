"""Attention, recurrent networks, and a training step of a small transformer."""

import torch
from torch import nn
from torch.nn import functional

from helpers import Differentiated, Training, constant, leaf
from inputs import integers


def attention(name, _rate):
    q, k, v = (leaf(stream, name.numbers) for stream in (1, 2, 3))
    return Differentiated(
        [q, k, v], lambda: functional.scaled_dot_product_attention(q, k, v), constant(9, name.numbers)
    )


def rnn(name, _rate):
    batch, steps = name.numbers
    xs = constant(1, (steps, batch, 64)).unbind()
    w, u, b = leaf(10, (64, 64), -0.125, 0.125), leaf(11, (64, 64), -0.125, 0.125), leaf(12, (64,), -0.125, 0.125)

    def function():
        h = torch.zeros(batch, 64)
        for x in xs:
            h = torch.tanh(x @ w.T + h @ u.T + b)
        return torch.mean(torch.square(h))

    return Differentiated([w, u, b], function)


def gru(name, _rate):
    batch, steps = name.numbers
    bound = 0.176776695
    xs = constant(1, (steps, batch, 32)).unbind()
    shapes = [(96, 32), (96, 32), (96,), (96,)]
    w, u, b, c = (leaf(10 + k, shape, -bound, bound) for k, shape in enumerate(shapes))

    def function():
        h = torch.zeros(batch, 32)
        for x in xs:
            from_x, from_h = (x @ w.T + b).split(32, 1), (h @ u.T + c).split(32, 1)
            r, z = torch.sigmoid(from_x[0] + from_h[0]), torch.sigmoid(from_x[1] + from_h[1])
            h = (1 - z) * torch.tanh(from_x[2] + r * from_h[2]) + z * h
        return torch.mean(torch.square(h))

    return Differentiated([w, u, b, c], function)


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        parts = self.query_key_value(self.before(x)).split(width, -1)
        q, k, v = (t.view(batch, length, self.heads, -1).transpose(1, 2) for t in parts)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.mix(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.narrow(functional.gelu(self.wide(self.between(x))))


class Gpt(nn.Module):
    def __init__(self, length):
        super().__init__()
        self.letters = nn.Embedding(65, 64)
        self.positions = nn.Embedding(length, 64)
        self.layers = nn.Sequential(Layer(64, 4), Layer(64, 4))
        self.norm = nn.LayerNorm(64)
        self.head = nn.Linear(64, 65, bias=False)

    def forward(self, tokens):
        x = self.letters(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return self.head(self.norm(self.layers(x)))


def gpt(name, rate):
    batch, length = name.numbers
    model = Gpt(length)
    tokens = torch.from_numpy(integers(1, (batch, length), 65))
    targets = torch.from_numpy(integers(2, (batch * length,), 65))
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    return Training(
        model.parameters(), lambda: functional.cross_entropy(model(tokens).view(-1, 65), targets), optimizer
    )


FAMILIES = {"attention": attention, "rnn64": rnn, "gru32": gru, "gpt_step": gpt}
