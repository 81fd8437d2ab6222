"""Graphs of 0-d tensors."""

import torch

from helpers import Differentiated, leaf
from inputs import numbers


def chain(_name, _rate):
    start = leaf(1, (), 0.4, 0.6)

    def function():
        y = start
        for _ in range(500):
            y = torch.tanh(y * 1.01)
        return y

    return Differentiated([start], function)


def scalar_leaves(count, low, high):
    return [torch.tensor(x, requires_grad=True) for x in numbers(1, (count,), low, high)]


def tree(_name, _rate):
    leaves = scalar_leaves(1024, 0.4, 0.6)

    def function():
        level, product = leaves, False
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2])
            level = [a * b for a, b in pairs] if product else [a + b for a, b in pairs]
            product = not product
        return level[0]

    return Differentiated(leaves, function)


def leaves_in_turn(_name, _rate):
    leaves = scalar_leaves(256, -1, 1)

    def function():
        total = leaves[0] * leaves[0]
        for x in leaves[1:]:
            total = total + x * x
        return total

    return Differentiated(leaves, function)


FAMILIES = {"chain_0d": chain, "tree_0d": tree, "leaves_256": leaves_in_turn}
