"""Objectives of what cameras see: bundle adjustment, and the tracking of a hand."""

import jax.numpy as jnp
import numpy as np

import models
from helpers import Differentiated
from inputs import integers, numbers


def bundle(name, _rate):
    n, points, seen = name.numbers
    camera_of, point_of = integers(4, (seen,), n), integers(5, (seen,), points)

    def function(all_cameras, x, weights, seen_at, camera_of, point_of):
        camera = all_cameras[:, camera_of]
        start = x[:, point_of] - camera[3:6]
        rotation = camera[0:3]
        angle = jnp.sqrt(jnp.sum(jnp.square(rotation), 0))
        axis, cosine = rotation / angle, jnp.cos(angle)
        along = jnp.sum(axis * start, 0)
        turned = start * cosine + jnp.cross(axis, start, axis=0) * jnp.sin(angle) + axis * (along * (1 - cosine))
        plane = turned[0:2] / turned[2]
        radius = jnp.sum(jnp.square(plane), 0)
        bent = (camera[10] * radius + camera[9]) * radius + 1
        missed = (plane * (bent * camera[6]) + camera[7:9] - seen_at) * weights
        return jnp.sum(jnp.square(missed)) + jnp.sum(jnp.square(1 - jnp.square(weights)))

    leaves = [models.cameras(n), numbers(1, (3, points)), numbers(2, (seen,), 0.5, 1)]
    return Differentiated(leaves, function, [numbers(3, (2, seen), -0.5, 0.5), camera_of, point_of])


def rotation_of(vector, cross):
    angle = jnp.sqrt(jnp.sum(jnp.square(vector)))
    axis, cosine = vector / angle, jnp.cos(angle)
    return jnp.eye(3) * cosine + cross @ axis * jnp.sin(angle) + jnp.outer(axis, axis) * (1 - cosine)


def hand(name, _rate):
    vertices, seen = name.numbers
    corners, order = integers(8, (3 * seen,), vertices), np.array(models.BONES_BY_LEVEL)
    angle_of, turns, cross = models.angles_of_bones(), models.turn_matrices(), models.cross_matrix()

    def function(theta, us, points, corners, base, inverse, skin):
        angles = jnp.concatenate([theta, jnp.zeros(1)])[angle_of][:, :, None, None]
        cosine, sine, rest = (turns[:, None, k] for k in range(3))
        around_x, around_z = jnp.cos(angles) * cosine + jnp.sin(angles) * sine + rest
        relative = base @ (around_z @ around_x)
        levels = [relative[0:1], relative[0:1] @ relative[1:22:4]]
        above = levels[1][:5]
        for level in range(2, 5):
            above = above @ relative[level:21:4]
            levels.append(above)
        bones = (jnp.concatenate(levels) @ inverse)[:, :3].transpose(1, 0, 2).reshape(3, 88)
        positions = rotation_of(theta[0:3], cross) @ (bones @ skin) + theta[3:6, None]
        shares = jnp.concatenate([us, 1 - jnp.sum(us, 0, keepdims=True)])
        at = jnp.sum(positions[:, corners].reshape(3, 3, seen) * shares, 1)
        return jnp.sum(jnp.square(points - at))

    constants = [numbers(7, (3, seen)), corners]
    constants += [models.bone_matrices(3), models.bone_matrices(4)[order], models.skin_of(vertices)]
    return Differentiated([numbers(1, (26,), -0.5, 0.5), numbers(2, (2, seen), 0, 0.5)], function, constants)
