"""The inputs of every workload, as common/inputs.h makes them in C++: the same bits."""

import numpy as np


def unit_numbers(stream, count):
    """24 random bits over 2^24, for indices 0 to count - 1."""
    with np.errstate(over="ignore"):
        z = (np.uint64(stream << 40) + np.arange(1, count + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(np.float64) * 2.0**-24


def numbers(stream, shape, low=-1.0, high=1.0):
    """Uniform numbers in [low, high), float32."""
    count = int(np.prod(shape, dtype=np.int64))
    return (low + (high - low) * unit_numbers(stream, count)).astype(np.float32).reshape(shape)


def integers(stream, shape, end):
    """Integers in [0, end), int64."""
    count = int(np.prod(shape, dtype=np.int64))
    return (unit_numbers(stream, count) * float(end)).astype(np.int64).reshape(shape)


def parameters(shapes):
    """Parameter k has the numbers of stream 10 + k, in +-1/sqrt(inputs of a neuron)."""
    values, bound = [], 1.0
    for k, shape in enumerate(shapes):
        if len(shape) > 1:
            bound = 1 / np.sqrt(np.prod(shape[1:]))
        values.append(numbers(10 + k, shape, -bound, bound))
    return values
