"""The inputs of every workload, as common/inputs.h makes them in C++: the same bits."""

import itertools
import math

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


def minors_of(n):
    """For the expansion of a determinant along rows: for sizes 1 to n each set of so many columns, as its columns
    [size, sets], its place without each of them among the smaller sets, and the signs [size, 1]."""
    place, levels = {(): 0}, []
    for size in range(1, n + 1):
        sets = list(itertools.combinations(range(n), size))
        below = [[place[s[:k] + s[k + 1 :]] for s in sets] for k in range(size)]
        signs = np.where(np.arange(size) % 2 == 0, 1, -1).astype(np.float32)[:, None]
        levels.append((np.array(sets, dtype=np.int64).T.copy(), np.array(below, dtype=np.int64), signs))
        place = {s: k for k, s in enumerate(sets)}
    return levels


def places_of_triangle(d):
    """Where the elements of a lower triangle [d * d] stand in a row of its diagonal, what is below it, column by
    column, and a zero."""
    places = np.full((d, d), d + d * (d - 1) // 2, dtype=np.int64)
    np.fill_diagonal(places, np.arange(d))
    columns, rows = np.triu_indices(d, 1)
    places[rows, columns] = np.arange(d, d + len(rows))
    return places.ravel()


def mixture_constant(points, d, components):
    """The part of a mixture's log-likelihood and of its Wishart prior, gamma = 1 and m = 0, that nothing moves."""
    one = -(d + 1) * d * 0.5 * math.log(2) - 0.25 * d * (d - 1) * math.log(math.pi)
    one -= sum(math.lgamma((d + 1 - j) / 2) for j in range(d))
    return components * one - points * d * 0.5 * math.log(2 * math.pi)
