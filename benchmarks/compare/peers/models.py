"""What the objectives of family ad are made of and does not move, as NumPy arrays; also what is computed of it once."""

import itertools
import math

import numpy as np

from inputs import integers, numbers


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


# Of a camera: rotation, center, focal length, principal point, distortion.
CAMERA_ENDS = [(-0.3, 0.3)] * 3 + [(-0.2, 0.2)] * 2 + [(-6, -4), (0.8, 1.2)] + [(-0.1, 0.1)] * 4


def cameras(count):
    """A column a camera [11, count]."""
    return np.stack([numbers(10 + row, (count,), *ends) for row, ends in enumerate(CAMERA_ENDS)])


# The wrist; the fingers' first bones and the forearm; the second bones, and so on.
BONES_BY_LEVEL = [0, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 3, 7, 11, 15, 19, 4, 8, 12, 16, 20]


def bone_matrices(stream):
    """[22, 4, 4], the last row 0 0 0 1."""
    matrices = np.tile(np.eye(4, dtype=np.float32), (22, 1, 1))
    matrices[:, :3] += numbers(stream, (22, 3, 4), -0.3, 0.3)
    return matrices


def angles_of_bones():
    """[2, 22]: where in theta the angles around x and z are; behind it for none."""
    angles = np.full((2, 22), 26, dtype=np.int64)
    for finger in range(5):
        first = 6 + 4 * finger
        angles[0, 2 + 4 * finger : 5 + 4 * finger] = first, first + 2, first + 3
        angles[1, 2 + 4 * finger] = first + 1
    return angles


def skin_of(vertices):
    """[22 * 4, vertices]: the vertices at rest times the weights of the bones, level after level."""
    rest = np.concatenate([numbers(5, (3, vertices)), np.ones((1, vertices), np.float32)])
    weights = numbers(6, (22, vertices), 0, 0.1)[BONES_BY_LEVEL]
    return (weights[:, None] * rest).reshape(88, vertices)


def turn_matrices():
    """What cosine and sine of an angle are multiplied with in a matrix [4, 4], and the rest: around x, and around z."""
    all_of = np.zeros((2, 3, 4, 4), np.float32)
    for turn, (first, second, fixed) in zip(all_of, [(1, 2, 0), (0, 1, 2)]):
        turn[0, first, first] = turn[0, second, second] = 1
        turn[1, first, second], turn[1, second, first] = -1, 1
        turn[2, fixed, fixed] = turn[2, 3, 3] = 1
    return all_of


def cross_matrix():
    """[3, 3, 3]: times a it is the matrix of the product a x."""
    cross = np.zeros((3, 3, 3), np.float32)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        cross[i, j, k], cross[i, k, j] = -1, 1
    return cross
