"""Derivatives of derivatives, a variational autoencoder."""

import jax
import jax.numpy as jnp
import numpy as np

from helpers import Differentiated, Training, adam
from inputs import integers, numbers, parameters
from networks import cross_entropy, dense, dense_shapes
from serve import Workload


class Hvp(Workload):
    def __init__(self, batch):
        shapes = dense_shapes([784, 256, 128, 10])
        self.p = [jnp.asarray(p) for p in parameters(shapes)]
        self.v = [jnp.asarray(numbers(50 + k, shape)) for k, shape in enumerate(shapes)]
        self.x = jnp.asarray(numbers(1, (batch, 784), 0, 1))
        self.labels = jnp.asarray(integers(2, (batch,), 10))
        self.result = None

        def loss(p, x, labels):
            return cross_entropy(dense(p, x, jnp.tanh), labels)

        def product(p, v, x, labels):
            (value, _), (_, tangents) = jax.jvp(lambda p: jax.value_and_grad(loss)(p, x, labels), (p,), (v,))
            return value, tangents

        self.compiled = jax.jit(product)

    def step(self):
        self.result = self.compiled(self.p, self.v, self.x, self.labels)

    def finish(self):
        jax.block_until_ready(self.result)

    def outputs(self):
        return [self.result[0], *self.result[1]]


def pinn(name, rate):
    def loss(p, constants):
        (x,) = constants
        u = lambda at: dense(p, at[None, None], jnp.tanh)[0, 0]  # noqa: E731
        curvature = jax.vmap(jax.grad(jax.grad(u)))(x)
        return jnp.mean(jnp.square(curvature + jnp.sin(x * np.pi) * np.pi**2))

    return Training(dense_shapes([1, 32, 32, 1]), loss, [numbers(1, (name.numbers[0],), 0, 1)], *adam(rate))


def maml(name, rate):
    def task_loss(p, x, y):
        return jnp.mean(jnp.square(dense(p, x, jax.nn.relu) - y))

    def loss(p, constants):
        def after(x, y, later_x, later_y):
            moved = [a - g * 0.1 for a, g in zip(p, jax.grad(task_loss)(p, x, y))]
            return task_loss(moved, later_x, later_y)

        return jnp.mean(jax.vmap(after)(*constants))

    tasks = name.numbers[0]
    constants = [np.stack([numbers(100 + 4 * t + k, (10, 1)) for t in range(tasks)]) for k in range(4)]
    return Training(dense_shapes([1, 40, 40, 1]), loss, constants, *adam(rate))


def vae(name, rate):
    batch = name.numbers[0]

    def loss(p, constants):
        x, noise = constants
        mu, log_variance = jnp.split(dense(p[:4], x, jax.nn.relu), 2, 1)
        scores = dense(p[4:], mu + jnp.exp(log_variance * 0.5) * noise, jax.nn.relu)
        pixels = jnp.sum(jax.nn.softplus(scores) - x * scores)
        return (pixels + jnp.sum(jnp.square(mu) + jnp.exp(log_variance) - log_variance - 1) * 0.5) / batch

    shapes = dense_shapes([784, 256, 32]) + dense_shapes([16, 256, 784])
    return Training(shapes, loss, [numbers(1, (batch, 784), 0, 1), numbers(3, (batch, 16))], *adam(rate))


FAMILIES = {
    "hvp_mlp": lambda name, _rate: Hvp(name.numbers[0]),
    "pinn_step": pinn,
    "maml": maml,
    "vae_step": vae,
}
