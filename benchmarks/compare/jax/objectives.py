"""The objectives of the public benchmarks of automatic differentiation."""

import jax
import jax.numpy as jnp
import numpy as np

from helpers import Differentiated
from inputs import integers, numbers
from models import minors_of, mixture_constant, places_of_triangle
from poses import bundle, hand
from serve import by_kind


def log_sum_exp(name, _rate):
    return Differentiated([numbers(1, name.numbers, -8, 8)], jax.nn.logsumexp)


def least_squares(name, _rate):
    n, count = name.numbers

    def function(x):
        t = jnp.linspace(-1, 1, n, dtype=jnp.float32)
        powers = [jnp.ones_like(t)]
        for _ in range(1, count):
            powers.append(powers[-1] * t)
        return jnp.sum(jnp.square(jnp.sign(t) - x @ jnp.stack(powers))) / 2

    return Differentiated([numbers(1, (count,))], function)


def runge_kutta(name, _rate):
    n, steps = name.numbers

    def function(x):
        hx = x * (2 / steps)

        def slope(y):
            return hx * jnp.concatenate([jnp.ones(1), y[:-1]])

        def step(y, _):
            k1 = slope(y)
            k2 = slope(y + k1 * 0.5)
            k3 = slope(y + k2 * 0.5)
            k4 = slope(y + k3)
            return y + (k1 + (k2 + k3) * 2 + k4) / 6, None

        return jax.lax.scan(step, jnp.zeros(n), None, steps)[0][-1]

    return Differentiated([numbers(1, (n,), 0.5625 * steps, 0.6875 * steps)], function)


def determinant(name, _rate):
    (n,) = name.numbers
    levels = minors_of(n)

    def function(a):
        minors = jnp.ones(1)
        for size, (columns, below, signs) in enumerate(levels, 1):
            minors = jnp.sum(a[n - size][columns] * minors[below] * signs, 0)
        return minors[0]

    return Differentiated([numbers(1, (n, n))], function)


def kmeans(name, _rate):
    points, features, count = name.numbers

    def function(centers, x):
        squares = jnp.sum(jnp.square(x), 1, keepdims=True) + jnp.sum(jnp.square(centers), 1)
        return jnp.sum(jnp.min(squares - x @ centers.T * 2, 1))

    return Differentiated([numbers(2, (count, features))], function, [numbers(1, (points, features))])


def mixture(name, _rate):
    n, d, k = name.numbers
    places, unmoved = places_of_triangle(d), mixture_constant(n, d, k)

    def function(alpha, mu, q, l, x):
        diagonal = jnp.exp(q)
        triangle = jnp.concatenate([diagonal, l, jnp.zeros((k, 1))], 1)[:, places].reshape(k, d, d)
        turned = (triangle.reshape(k * d, d) @ x.T).reshape(k, d, n) - triangle @ mu[:, :, None]
        squares = jnp.sum(jnp.square(turned), 1)
        main = (alpha + jnp.sum(q, 1))[:, None] - squares * 0.5
        prior = (jnp.sum(jnp.square(diagonal)) + jnp.sum(jnp.square(l))) * 0.5
        logs = jax.nn.logsumexp
        return jnp.sum(logs(main, 0)) - logs(alpha) * n - prior + unmoved

    leaves = [numbers(1, (k,)), numbers(2, (k, d)), numbers(3, (k, d)), numbers(4, (k, d * (d - 1) // 2))]
    return Differentiated(leaves, function, [numbers(5, (n, d))])


def lstm(name, _rate):
    layers, characters = name.numbers

    def function(weights, extra, state, sequence):
        x = sequence[:-1] * extra[0]
        for layer in range(layers):
            w, b = weights[layer]

            def step(carry, gates, w=w, b=b):
                hidden, cell = carry
                forget, outgate = gates
                cell = cell * forget + jax.nn.sigmoid(hidden * w[1] + b[1]) * jnp.tanh(hidden * w[3] + b[3])
                hidden = outgate * jnp.tanh(cell)
                return (hidden, cell), hidden

            gates = jax.nn.sigmoid(x * w[0] + b[0]), jax.nn.sigmoid(x * w[2] + b[2])
            _, x = jax.lax.scan(step, (state[layer, 0], state[layer, 1]), gates)
        scores = x * extra[1] + extra[2]
        norms = jnp.log(jnp.sum(jnp.exp(scores), 1, keepdims=True) + 2)
        return -jnp.mean(sequence[1:] * (scores - norms))

    sequence = integers(1, (characters, 14), 2).astype(np.float32)
    leaves = [numbers(3, (layers, 2, 4, 14)), numbers(4, (3, 14))]
    return Differentiated(leaves, function, [numbers(2, (layers, 2, 14)), sequence])


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
