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


def pendulum(_name, _rate):
    torques = leaf(1, (100,))

    def function():
        angle, speed, cost = torch.tensor(3.0), torch.tensor(0.0), torch.tensor(0.0)
        for t in range(100):
            torque = torques[t]
            speed = speed + (torch.sin(angle) * 9.81 - speed * 0.1 + torque) * 0.05
            angle = angle + speed * 0.05
            cost = cost + torch.square(torque) * 0.001 - torch.cos(angle)
        return cost - torch.cos(angle) * 10 + torch.square(speed)

    return Differentiated([torques], function)


FAMILIES = {"chain_0d": chain, "tree_0d": tree, "leaves_256": leaves_in_turn, "pendulum": pendulum}
