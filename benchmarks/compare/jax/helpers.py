"""What the families share."""

import jax
import jax.numpy as jnp

from inputs import parameters
from serve import Workload


class Differentiated(Workload):
    """Value and gradients of a function of leaves, `arguments`; `cotangent` is that of the result, none for a
    loss. Compiled once; a step calls what was compiled."""

    def __init__(self, leaves, function, constants=(), cotangent=None):
        self.leaves = [jnp.asarray(x) for x in leaves]
        self.constants = [jnp.asarray(x) for x in constants]
        self.cotangent = None if cotangent is None else jnp.asarray(cotangent)
        self.result = None

        def compute(leaves, constants, cotangent):
            value, back = jax.vjp(lambda *xs: function(*xs, *constants), *leaves)
            return value, back(jnp.ones_like(value) if cotangent is None else cotangent)

        self.compute = jax.jit(compute)

    def step(self):
        self.result = self.compute(self.leaves, self.constants, self.cotangent)

    def finish(self):
        jax.block_until_ready(self.result)

    def outputs(self):
        value, gradients = self.result
        return [value, *gradients]


class Training(Workload):
    """A training step of `loss(parameters, constants)`. The gradients that are compared are those of a function of its
    own, so that the step, as in a program, keeps none."""

    def __init__(self, shapes, loss, constants, start, update):
        self.parameters = [jnp.asarray(p) for p in parameters(shapes)]
        self.state = start(self.parameters)
        self.constants = [jnp.asarray(x) for x in constants]
        self.last = None
        self.before = None
        self.check = jax.jit(jax.value_and_grad(loss))

        def step(parameters, state, constants):
            value, gradients = jax.value_and_grad(loss)(parameters, constants)
            parameters, state = update(parameters, gradients, state)
            return parameters, state, value

        self.compiled = jax.jit(step, donate_argnums=(0, 1))
        self.seen = 0

    def step(self):
        if self.seen < 3:  # those that are compared, and as many before the clock starts
            self.seen += 1
            self.before = jax.tree.map(jnp.copy, self.parameters)
        self.parameters, self.state, self.last = self.compiled(self.parameters, self.state, self.constants)

    def finish(self):
        jax.block_until_ready((self.parameters, self.last))

    def outputs(self):
        value, gradients = self.check(self.before, self.constants)
        if abs(value - self.last) > 1e-4 * abs(value):
            raise ArithmeticError("the step and its check differ")
        return [value, *gradients]


def adam(rate):
    """Start and update of Adam."""

    def start(parameters):
        zeros = [jnp.zeros_like(p) for p in parameters]
        return zeros, [jnp.zeros_like(p) for p in parameters], jnp.zeros((), jnp.int32)

    def update(parameters, gradients, state):
        first, second, steps = state
        steps = steps + 1
        scaled = rate / (1 - 0.9**steps)
        root = jnp.sqrt(1 - 0.999**steps)
        first = [0.9 * m + 0.1 * g for m, g in zip(first, gradients)]
        second = [0.999 * v + 0.001 * g * g for v, g in zip(second, gradients)]
        parameters = [
            p - scaled * m / (jnp.sqrt(v) / root + 1e-8) for p, m, v in zip(parameters, first, second)
        ]
        return parameters, (first, second, steps)

    return start, update


def momentum(rate):
    """Start and update of gradient descent with momentum 0.9."""

    def start(parameters):
        return [jnp.zeros_like(p) for p in parameters]

    def update(parameters, gradients, velocities):
        velocities = [0.9 * b + g for b, g in zip(velocities, gradients)]
        return [p - rate * b for p, b in zip(parameters, velocities)], velocities

    return start, update
