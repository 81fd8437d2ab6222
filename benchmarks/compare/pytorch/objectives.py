"""The objectives of the public benchmarks of automatic differentiation."""

import numpy as np
import torch

from helpers import Differentiated, constant, leaf
from inputs import integers
from models import minors_of, mixture_constant, places_of_triangle
from poses import bundle, hand
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


def kmeans(name, _rate):
    points, features, count = name.numbers
    x, centers = constant(1, (points, features)), leaf(2, (count, features))

    def function():
        squares = torch.sum(torch.square(x), 1, keepdim=True) + torch.sum(torch.square(centers), 1)
        return torch.sum(torch.min(squares - x @ centers.T * 2, 1).values)

    return Differentiated([centers], function)


def mixture(name, _rate):
    n, d, k = name.numbers
    alpha, mu, q, l = leaf(1, (k,)), leaf(2, (k, d)), leaf(3, (k, d)), leaf(4, (k, d * (d - 1) // 2))
    x, places = constant(5, (n, d)), torch.from_numpy(places_of_triangle(d))
    unmoved, zero = mixture_constant(n, d, k), torch.zeros(k, 1)

    def function():
        diagonal = torch.exp(q)
        triangle = torch.cat([diagonal, l, zero], 1)[:, places].reshape(k, d, d)
        turned = (triangle.reshape(k * d, d) @ x.T).reshape(k, d, n) - triangle @ mu[:, :, None]
        squares = torch.sum(torch.square(turned), 1)
        main = (alpha + torch.sum(q, 1))[:, None] - squares * 0.5
        prior = (torch.sum(torch.square(diagonal)) + torch.sum(torch.square(l))) * 0.5
        return torch.sum(torch.logsumexp(main, 0)) - torch.logsumexp(alpha, 0) * n - prior + unmoved

    return Differentiated([alpha, mu, q, l], function)


def lstm(name, _rate):
    layers, characters = name.numbers
    sequence = torch.from_numpy(integers(1, (characters, 14), 2).astype(np.float32))
    state, weights, extra = constant(2, (layers, 2, 14)), leaf(3, (layers, 2, 4, 14)), leaf(4, (3, 14))
    given, wanted = sequence[:-1], sequence[1:]

    def function():
        into, out, out_bias = extra.unbind()
        x = given * into
        for layer, (hidden, cell) in zip(weights.unbind(), state.unbind()):
            w, b = layer[0].unbind(), layer[1].unbind()
            outputs = []
            forgets, outgates = torch.sigmoid(x * w[0] + b[0]).unbind(), torch.sigmoid(x * w[2] + b[2]).unbind()
            for forget, outgate in zip(forgets, outgates):
                ingate, change = torch.sigmoid(hidden * w[1] + b[1]), torch.tanh(hidden * w[3] + b[3])
                cell = cell * forget + ingate * change
                hidden = outgate * torch.tanh(cell)
                outputs.append(hidden)
            x = torch.stack(outputs)
        scores = x * out + out_bias
        norms = torch.log(torch.sum(torch.exp(scores), 1, keepdim=True) + 2)
        return -torch.mean(wanted * (scores - norms))

    return Differentiated([weights, extra], function)


KINDS = {
    "lse": log_sum_exp,
    "llsq": least_squares,
    "ode": runge_kutta,
    "det": determinant,
    "kmeans": kmeans,
    "gmm": mixture,
    "lstm": lstm,
    "ba": bundle,
    "ht": hand,
}
FAMILIES = {"ad": by_kind(KINDS)}
