"""The objectives of the public benchmarks of automatic differentiation."""

import jax
import jax.numpy as jnp
import numpy as np

from helpers import Differentiated
from inputs import minors_of, numbers
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


KINDS = {
    "lse": log_sum_exp,
    "llsq": least_squares,
    "ode": runge_kutta,
    "det": determinant,
}
FAMILIES = {"ad": by_kind(KINDS)}
