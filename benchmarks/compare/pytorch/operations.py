"""Single operations, forward and backward."""

import torch
from torch import nn
from torch.nn import functional

from helpers import Differentiated, constant, leaf
from inputs import integers, numbers
from serve import Workload, moments

ELEMENTS = 1_000_000

FUNCTIONS = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "exp": torch.exp,
    "log": torch.log,
    "relu": torch.relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "square_plus": lambda x: (x + torch.sqrt(torch.square(x) + 4)) * 0.5,
    "chain5": lambda x: torch.sigmoid(torch.square(torch.tanh(x * 1.1 + 0.3))),
    "clamp": lambda x: torch.clamp(x, -1, 1),
}


def scaled(shape, factors):
    x, b = leaf(1, shape), leaf(2, factors)
    return Differentiated([x, b], lambda: x * b, constant(9, shape))


def elementwise(name, _rate):
    if name.arguments in FUNCTIONS:
        function = FUNCTIONS[name.arguments]
        x = leaf(1, (ELEMENTS,), 0.1 if name.arguments == "log" else -3, 3)
        return Differentiated([x], lambda: function(x), constant(9, (ELEMENTS,)))
    if name.arguments == "where":
        a, b, mask = leaf(1, (ELEMENTS,)), leaf(2, (ELEMENTS,)), constant(3, (ELEMENTS,)) > 0
        return Differentiated([a, b], lambda: torch.where(mask, a, b), constant(9, (ELEMENTS,)))
    if name.arguments == "mul_column":
        return scaled((1000, 1000), (1000, 1))
    columns = name.numbers[0]
    return scaled((ELEMENTS // columns, columns), (columns,))


def softmax_ce(name, _rate):
    z, labels = leaf(1, name.numbers, -3, 3), torch.from_numpy(integers(2, name.numbers[:1], name.numbers[1]))
    return Differentiated([z], lambda: functional.cross_entropy(z, labels))


def normalised(name, function):
    size = name.numbers[1]
    x, weight, bias = leaf(1, name.numbers), leaf(2, (size,), 0.5, 1.5), leaf(3, (size,))
    return Differentiated([x, weight, bias], lambda: function(x, weight, bias), constant(9, name.numbers))


def layer_norm(name, _rate):
    return normalised(name, lambda x, weight, bias: functional.layer_norm(x, weight.shape, weight, bias))


def batch_norm(name, _rate):
    return normalised(
        name, lambda x, weight, bias: functional.batch_norm(x, None, None, weight, bias, training=True)
    )


def bias_add(name, _rate):
    x, bias = leaf(1, name.numbers), leaf(2, name.numbers[1:])
    return Differentiated([x, bias], lambda: x + bias, constant(9, name.numbers))


def sums(name, _rate):
    x = leaf(1, (1000, 1000))
    if name.arguments == "all":
        return Differentiated([x], lambda: torch.sum(x))
    axis = name.numbers[0]
    return Differentiated([x], lambda: torch.sum(x, dim=axis), constant(9, (1000,)))


def transpose(name, _rate):
    x = leaf(1, name.numbers)
    return Differentiated([x], lambda: x.T.contiguous(), constant(9, name.numbers[::-1]))


def embedding(name, _rate):
    table, rows = leaf(1, name.numbers), torch.from_numpy(integers(2, (1024,), name.numbers[0]))
    return Differentiated([table], lambda: functional.embedding(rows, table), constant(9, (1024, name.numbers[1])))


class Draw(Workload):
    def __init__(self, draw):
        self.draw, self.drawn = draw, None

    def step(self):
        self.drawn = self.draw()

    def outputs(self):
        return [moments(self.drawn.numpy())]


class Dropped(Workload):
    def __init__(self):
        self.x, self.g = torch.ones(ELEMENTS, requires_grad=True), torch.ones(ELEMENTS)
        self.dropout, self.y = nn.Dropout(), None

    def step(self):
        self.x.grad = None
        self.y = None
        self.y = self.dropout(self.x)
        self.y.backward(self.g)

    def outputs(self):
        return [moments(self.y.detach().numpy()), moments(self.x.grad.numpy())]


def matmul(name, _rate):
    shape = name.numbers * 2 if len(name.numbers) == 1 else name.numbers
    a, b = leaf(1, shape), leaf(2, shape)
    return Differentiated([a, b], lambda: torch.matmul(a, b), constant(9, shape))


def conv(name, _rate):
    n, inside, size, outside, kernel, stride, padding, groups = name.numbers
    x, weight = leaf(1, (n, inside, size, size)), leaf(2, (outside, inside // groups, kernel, kernel))
    result = (size + 2 * padding - kernel) // stride + 1
    return Differentiated(
        [x, weight],
        lambda: functional.conv2d(x, weight, stride=stride, padding=padding, groups=groups),
        constant(9, (n, outside, result, result)),
    )


def conv_transpose(name, _rate):
    n, inside, size, outside, kernel, stride, padding = name.numbers
    x, weight = leaf(1, (n, inside, size, size)), leaf(2, (inside, outside, kernel, kernel))
    result = (size - 1) * stride - 2 * padding + kernel
    return Differentiated(
        [x, weight],
        lambda: functional.conv_transpose2d(x, weight, stride=stride, padding=padding),
        constant(9, (n, outside, result, result)),
    )


class AdamAlone(Workload):
    def __init__(self, count, rate):
        self.parameter = leaf(10, (count,))
        self.parameter.grad = torch.from_numpy(numbers(2, (count,)))
        self.adam = torch.optim.Adam([self.parameter], lr=rate, fused=True)

    def step(self):
        self.adam.step()

    def outputs(self):
        return [self.parameter.detach().numpy()]


FAMILIES = {
    "elementwise": elementwise,
    "softmax_ce": softmax_ce,
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
    "bias_add": bias_add,
    "sum": sums,
    "transpose": transpose,
    "embedding": embedding,
    "dropout": lambda _name, _rate: Dropped(),
    "randn": lambda _name, _rate: Draw(lambda: torch.randn(ELEMENTS)),
    "uniform": lambda _name, _rate: Draw(lambda: torch.rand(ELEMENTS)),
    "matmul": matmul,
    "batched_matmul": matmul,
    "conv": conv,
    "conv_transpose": conv_transpose,
    "adam": lambda name, rate: AdamAlone(name.numbers[0] * 1_000_000, rate),
}
