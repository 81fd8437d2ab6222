"""Attention, recurrent networks, and a training step of a small transformer; steps are a scan."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from helpers import Differentiated, Training, adam
from inputs import integers, numbers
from networks import cross_entropy


def attend(q, k, v, mask=None):
    scores = q @ k.swapaxes(-1, -2) / np.float32(np.sqrt(q.shape[-1]))
    if mask is not None:
        scores = jnp.where(mask, scores, -1e9)
    return jax.nn.softmax(scores) @ v


def attention(name, _rate):
    return Differentiated([numbers(k, name.numbers) for k in (1, 2, 3)], attend, cotangent=numbers(9, name.numbers))


def over_steps(step, width, name, leaves):
    batch, steps = name.numbers

    def function(*arguments):
        *p, xs = arguments
        h, _ = lax.scan(lambda h, x: (step(p, h, x), None), jnp.zeros((batch, width), jnp.float32), xs)
        return jnp.mean(jnp.square(h))

    return Differentiated(leaves, function, [numbers(1, (steps, batch, width))])


def rnn(name, _rate):
    def step(p, h, x):
        w, u, b = p
        return jnp.tanh(x @ w.T + h @ u.T + b)

    shapes = [(64, 64), (64, 64), (64,)]
    return over_steps(step, 64, name, [numbers(10 + k, s, -0.125, 0.125) for k, s in enumerate(shapes)])


def gru(name, _rate):
    def step(p, h, x):
        w, u, b, c = p
        from_x, from_h = jnp.split(x @ w.T + b, 3, 1), jnp.split(h @ u.T + c, 3, 1)
        r, z = jax.nn.sigmoid(from_x[0] + from_h[0]), jax.nn.sigmoid(from_x[1] + from_h[1])
        return (1 - z) * jnp.tanh(from_x[2] + r * from_h[2]) + z * h

    bound = 0.176776695
    shapes = [(96, 32), (96, 32), (96,), (96,)]
    return over_steps(step, 32, name, [numbers(10 + k, s, -bound, bound) for k, s in enumerate(shapes)])


def norm(x, weight, bias):
    mean = jnp.mean(x, -1, keepdims=True)
    variance = jnp.mean(jnp.square(x - mean), -1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * weight + bias


def gpt(name, rate):
    batch, length = name.numbers
    width, heads, letters, layers = 64, 4, 65, 2
    mask = np.tril(np.ones((length, length), bool))

    def block(x, p):
        parts = jnp.split(norm(x, *p[:2]) @ p[2].T + p[3], 3, -1)
        q, k, v = (t.reshape(batch, length, heads, -1).transpose(0, 2, 1, 3) for t in parts)
        x = x + attend(q, k, v, mask).transpose(0, 2, 1, 3).reshape(x.shape) @ p[4].T + p[5]
        return x + jax.nn.gelu(norm(x, *p[6:8]) @ p[8].T + p[9], approximate=False) @ p[10].T + p[11]

    def loss(p, constants):
        tokens, targets = constants
        x = p[0][tokens] + p[1]
        for layer in range(layers):
            x = block(x, p[2 + 12 * layer : 14 + 12 * layer])
        return cross_entropy((norm(x, p[-3], p[-2]) @ p[-1].T).reshape(-1, letters), targets)

    layer = [(width,), (width,), (3 * width, width), (3 * width,), (width, width), (width,), (width,), (width,)]
    layer += [(4 * width, width), (4 * width,), (width, 4 * width), (width,)]
    shapes = [(letters, width), (length, width), *layer * layers, (width,), (width,), (letters, width)]
    constants = [integers(1, (batch, length), letters), integers(2, (batch * length,), letters)]
    return Training(shapes, loss, constants, *adam(rate))


FAMILIES = {"attention": attention, "rnn64": rnn, "gru32": gru, "gpt_step": gpt}
