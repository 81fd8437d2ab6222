"""The objectives of the public benchmarks of automatic differentiation."""

import numpy as np
import torch

from helpers import Differentiated, constant, leaf
from inputs import minors_of
from serve import by_kind


def log_sum_exp(name, _rate):
    x = leaf(1, name.numbers, -8, 8)
    return Differentiated([x], lambda: torch.logsumexp(x, 0))


def least_squares(name, _rate):
    n, count = name.numbers
    x = leaf(1, (count,))

    def function():
        t = torch.linspace(-1, 1, n)
        powers = [torch.ones_like(t)]
        for _ in range(1, count):
            powers.append(powers[-1] * t)
        return torch.sum(torch.square(torch.sign(t) - x @ torch.stack(powers))) / 2

    return Differentiated([x], function)


def runge_kutta(name, _rate):
    n, steps = name.numbers
    x = leaf(1, (n,), 0.5625 * steps, 0.6875 * steps)
    one = torch.ones(1)

    def function():
        hx = x * (2 / steps)

        def slope(y):
            return hx * torch.cat([one, y[:-1]])

        y = torch.zeros(n)
        for _ in range(steps):
            k1 = slope(y)
            k2 = slope(torch.add(y, k1, alpha=0.5))
            k3 = slope(torch.add(y, k2, alpha=0.5))
            k4 = slope(y + k3)
            y = torch.add(y, k1 + torch.add(k4, k2 + k3, alpha=2), alpha=1 / 6)
        return y[-1]

    return Differentiated([x], function)


def determinant(name, _rate):
    (n,) = name.numbers
    a = leaf(1, (n, n))
    levels = [[torch.from_numpy(part) for part in level] for level in minors_of(n)]

    def function():
        minors = torch.ones(1)
        for row, (columns, below, signs) in zip(reversed(a.unbind()), levels):
            minors = torch.sum(row[columns] * minors[below] * signs, 0)
        return minors[0]

    return Differentiated([a], function)


KINDS = {
    "lse": log_sum_exp,
    "llsq": least_squares,
    "ode": runge_kutta,
    "det": determinant,
}
FAMILIES = {"ad": by_kind(KINDS)}
