"""Training steps of multi-layer perceptrons and convolutional networks."""

import jax
import jax.numpy as jnp
from jax import lax

from helpers import Training, adam, momentum
from inputs import integers, numbers


def dense_shapes(sizes):
    shapes = []
    for inside, outside in zip(sizes, sizes[1:]):
        shapes += [(outside, inside), (outside,)]
    return shapes


def dense(parameters, x, activation):
    layers = list(zip(parameters[::2], parameters[1::2]))
    for weight, bias in layers[:-1]:
        x = activation(x @ weight.T + bias)
    return x @ layers[-1][0].T + layers[-1][1]


def cross_entropy(scores, labels):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], axis=1))


def tiny(name, rate):
    batch = name.numbers[0]

    def loss(parameters, constants):
        x, y = constants
        return jnp.mean(jnp.square(dense(parameters, x, jnp.tanh) - y))

    constants = [numbers(1, (batch, 2)), numbers(2, (batch, 1))]
    return Training(dense_shapes([2, 16, 16, 1]), loss, constants, *adam(rate))


def digits(name, rate):
    batch = name.numbers[0]

    def loss(parameters, constants):
        x, labels = constants
        return cross_entropy(dense(parameters, x, jax.nn.relu), labels)

    constants = [numbers(1, (batch, 784), 0, 1), integers(2, (batch,), 10)]
    return Training(dense_shapes([784, 256, 128, 10]), loss, constants, *momentum(rate))


def stage(x, weight, bias):
    y = lax.conv_general_dilated(x, weight, (1, 1), ((1, 1), (1, 1)), dimension_numbers=("NCHW", "OIHW", "NCHW"))
    y = y + bias[:, None, None]
    return jax.nn.relu(lax.reduce_window(y, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID"))


def small_conv_net(name, rate):
    batch = name.numbers[0]

    def loss(parameters, constants):
        x, labels = constants
        x = stage(x, *parameters[:2])
        x = stage(x, *parameters[2:4])
        return cross_entropy(dense(parameters[4:], x.reshape(batch, -1), jax.nn.relu), labels)

    shapes = [(16, 1, 3, 3), (16,), (32, 16, 3, 3), (32,), *dense_shapes([1568, 128, 10])]
    constants = [numbers(1, (batch, 1, 28, 28), 0, 1), integers(2, (batch,), 10)]
    return Training(shapes, loss, constants, *adam(rate))


FAMILIES = {"tiny_mlp_adam": tiny, "mlp_sgdm": digits, "convnet_adam": small_conv_net}
