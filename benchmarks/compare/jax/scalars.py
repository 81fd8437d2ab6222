"""Chains and trees of numbers, which jit compiles as a whole."""

import jax.numpy as jnp

from helpers import Differentiated
from inputs import numbers


def chain(_name, _rate):
    def function(y):
        for _ in range(500):
            y = jnp.tanh(y * 1.01)
        return y

    return Differentiated([numbers(1, (), 0.4, 0.6)], function)


def tree(_name, _rate):
    def function(*leaves):
        level, product = leaves, False
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2])
            level = [a * b for a, b in pairs] if product else [a + b for a, b in pairs]
            product = not product
        return level[0]

    return Differentiated(list(numbers(1, (1024,), 0.4, 0.6)), function)


def leaves_in_turn(_name, _rate):
    def function(*leaves):
        total = leaves[0] * leaves[0]
        for x in leaves[1:]:
            total = total + x * x
        return total

    return Differentiated(list(numbers(1, (256,))), function)


def pendulum(_name, _rate):
    def function(torques):
        angle, speed, cost = 3.0, 0.0, 0.0
        for torque in torques:
            speed = speed + (jnp.sin(angle) * 9.81 - speed * 0.1 + torque) * 0.05
            angle = angle + speed * 0.05
            cost = cost + jnp.square(torque) * 0.001 - jnp.cos(angle)
        return cost - jnp.cos(angle) * 10 + jnp.square(speed)

    return Differentiated([numbers(1, (100,))], function)


FAMILIES = {"chain_0d": chain, "tree_0d": tree, "leaves_256": leaves_in_turn, "pendulum": pendulum}
