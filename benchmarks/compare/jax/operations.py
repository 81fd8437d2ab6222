"""Single operations, forward and backward, each compiled by jit."""

import jax
import jax.numpy as jnp

from helpers import Differentiated, adam
from inputs import integers, numbers
from networks import cross_entropy
from serve import Workload, moments

ELEMENTS = 1_000_000

FUNCTIONS = {
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "exp": jnp.exp,
    "log": jnp.log,
    "relu": jax.nn.relu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "square_plus": lambda x: (x + jnp.sqrt(jnp.square(x) + 4)) * 0.5,
    "chain5": lambda x: jax.nn.sigmoid(jnp.square(jnp.tanh(x * 1.1 + 0.3))),
    "clamp": lambda x: jnp.clip(x, -1, 1),
}


def scaled(shape, factors):
    return Differentiated([numbers(1, shape), numbers(2, factors)], jnp.multiply, cotangent=numbers(9, shape))


def elementwise(name, _rate):
    if name.arguments in FUNCTIONS:
        x = numbers(1, (ELEMENTS,), 0.1 if name.arguments == "log" else -3, 3)
        return Differentiated([x], FUNCTIONS[name.arguments], cotangent=numbers(9, (ELEMENTS,)))
    if name.arguments == "where":
        leaves = [numbers(1, (ELEMENTS,)), numbers(2, (ELEMENTS,))]
        return Differentiated(
            leaves, lambda a, b, mask: jnp.where(mask, a, b), [numbers(3, (ELEMENTS,)) > 0], numbers(9, (ELEMENTS,))
        )
    if name.arguments == "mul_column":
        return scaled((1000, 1000), (1000, 1))
    columns = name.numbers[0]
    return scaled((ELEMENTS // columns, columns), (columns,))


def softmax_ce(name, _rate):
    rows, classes = name.numbers
    return Differentiated([numbers(1, (rows, classes), -3, 3)], cross_entropy, [integers(2, (rows,), classes)])


def normalised(name, axes, shape):
    def function(x, weight, bias):
        mean = jnp.mean(x, axes, keepdims=True)
        variance = jnp.mean(jnp.square(x - mean), axes, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * weight.reshape(shape) + bias.reshape(shape)

    size = name.numbers[1]
    leaves = [numbers(1, name.numbers), numbers(2, (size,), 0.5, 1.5), numbers(3, (size,))]
    return Differentiated(leaves, function, cotangent=numbers(9, name.numbers))


def sums(name, _rate):
    x = numbers(1, (1000, 1000))
    if name.arguments == "all":
        return Differentiated([x], jnp.sum)
    axis = name.numbers[0]
    return Differentiated([x], lambda x: jnp.sum(x, axis), cotangent=numbers(9, (1000,)))


def bias_add(name, _rate):
    leaves = [numbers(1, name.numbers), numbers(2, name.numbers[1:])]
    return Differentiated(leaves, jnp.add, cotangent=numbers(9, name.numbers))


def transpose(name, _rate):
    return Differentiated([numbers(1, name.numbers)], jnp.transpose, cotangent=numbers(9, name.numbers[::-1]))


def embedding(name, _rate):
    rows = integers(2, (1024,), name.numbers[0])
    g = numbers(9, (1024, name.numbers[1]))
    return Differentiated([numbers(1, name.numbers)], lambda table, rows: table[rows], [rows], g)


class Draw(Workload):
    def __init__(self, draw):
        def step(key):
            key, mine = jax.random.split(key)
            return key, draw(mine)

        self.key, self.compiled, self.drawn = jax.random.key(0), jax.jit(step), None

    def step(self):
        self.key, self.drawn = self.compiled(self.key)

    def finish(self):
        jax.block_until_ready(self.drawn)

    def outputs(self):
        drawn = self.drawn if isinstance(self.drawn, tuple) else (self.drawn,)
        return [moments(x) for x in drawn]


def dropped(key):
    def dropout(x):
        return jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x * 2, 0)

    y, back = jax.vjp(dropout, jnp.ones(ELEMENTS))
    return y, back(jnp.ones(ELEMENTS))[0]


def matmul(name, _rate):
    shape = name.numbers * 2 if len(name.numbers) == 1 else name.numbers
    return Differentiated([numbers(1, shape), numbers(2, shape)], jnp.matmul, cotangent=numbers(9, shape))


def conv(name, _rate):
    n, inside, size, outside, kernel, stride, padding, groups = name.numbers
    leaves = [numbers(1, (n, inside, size, size)), numbers(2, (outside, inside // groups, kernel, kernel))]
    result = (size + 2 * padding - kernel) // stride + 1

    def function(x, weight):
        return jax.lax.conv_general_dilated(
            x, weight, (stride, stride), ((padding, padding), (padding, padding)), feature_group_count=groups
        )

    return Differentiated(leaves, function, cotangent=numbers(9, (n, outside, result, result)))


def conv_transpose(name, _rate):
    n, inside, size, outside, kernel, stride, padding = name.numbers
    leaves = [numbers(1, (n, inside, size, size)), numbers(2, (inside, outside, kernel, kernel))]
    result = (size - 1) * stride - 2 * padding + kernel

    def function(x, weight):
        rim = kernel - 1 - padding
        turned = jnp.flip(weight, (2, 3)).swapaxes(0, 1)
        return jax.lax.conv_general_dilated(x, turned, (1, 1), ((rim, rim), (rim, rim)), lhs_dilation=(stride, stride))

    return Differentiated(leaves, function, cotangent=numbers(9, (n, outside, result, result)))


class AdamAlone(Workload):
    def __init__(self, count, rate):
        start, update = adam(rate)
        self.parameters = [jnp.asarray(numbers(10, (count,)))]
        self.gradients = [jnp.asarray(numbers(2, (count,)))]
        self.state = start(self.parameters)
        self.compiled = jax.jit(update, donate_argnums=(0, 2))

    def step(self):
        self.parameters, self.state = self.compiled(self.parameters, self.gradients, self.state)

    def finish(self):
        jax.block_until_ready(self.parameters)

    def outputs(self):
        return self.parameters


FAMILIES = {
    "elementwise": elementwise,
    "softmax_ce": softmax_ce,
    "layer_norm": lambda name, _rate: normalised(name, -1, (-1,)),
    "batch_norm": lambda name, _rate: normalised(name, (0, 2, 3), (-1, 1, 1)),
    "bias_add": bias_add,
    "sum": sums,
    "transpose": transpose,
    "embedding": embedding,
    "dropout": lambda _name, _rate: Draw(dropped),
    "randn": lambda _name, _rate: Draw(lambda key: jax.random.normal(key, (ELEMENTS,))),
    "uniform": lambda _name, _rate: Draw(lambda key: jax.random.uniform(key, (ELEMENTS,))),
    "matmul": matmul,
    "batched_matmul": matmul,
    "conv": conv,
    "conv_transpose": conv_transpose,
    "adam": lambda name, rate: AdamAlone(name.numbers[0] * 1_000_000, rate),
}
