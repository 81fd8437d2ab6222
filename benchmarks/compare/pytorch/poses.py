"""Objectives of what cameras see: bundle adjustment, and the tracking of a hand."""

import torch

import models
from helpers import Differentiated, constant, leaf
from inputs import integers


def bundle(name, _rate):
    n, points, seen = name.numbers
    all_cameras, x = torch.from_numpy(models.cameras(n)).requires_grad_(), leaf(1, (3, points))
    weights, seen_at = leaf(2, (seen,), 0.5, 1), constant(3, (2, seen), -0.5, 0.5)
    camera_of, point_of = (torch.from_numpy(integers(k, (seen,), end)) for k, end in ((4, n), (5, points)))

    def function():
        camera = all_cameras[:, camera_of]
        start = x[:, point_of] - camera[3:6]
        rotation = camera[0:3]
        angle = torch.sqrt(torch.sum(torch.square(rotation), 0))
        axis, cosine = rotation / angle, torch.cos(angle)
        along = torch.sum(axis * start, 0)
        turned = start * cosine + torch.linalg.cross(axis, start, dim=0) * torch.sin(angle)
        turned = turned + axis * (along * (1 - cosine))
        plane = turned[0:2] / turned[2]
        radius = torch.sum(torch.square(plane), 0)
        bent = (camera[10] * radius + camera[9]) * radius + 1
        missed = (plane * (bent * camera[6]) + camera[7:9] - seen_at) * weights
        return torch.sum(torch.square(missed)) + torch.sum(torch.square(1 - torch.square(weights)))

    return Differentiated([all_cameras, x, weights], function)


def rotation_of(vector, cross):
    angle = torch.sqrt(torch.sum(torch.square(vector)))
    axis, cosine = vector / angle, torch.cos(angle)
    return torch.eye(3) * cosine + cross @ axis * torch.sin(angle) + torch.outer(axis, axis) * (1 - cosine)


def hand(name, _rate):
    vertices, seen = name.numbers
    theta, us, points = leaf(1, (26,), -0.5, 0.5), leaf(2, (2, seen), 0, 0.5), constant(7, (3, seen))
    corners = torch.from_numpy(integers(8, (3 * seen,), vertices))
    base, inverse = (torch.from_numpy(models.bone_matrices(k)) for k in (3, 4))
    inverse = inverse[models.BONES_BY_LEVEL]
    skin, cross = torch.from_numpy(models.skin_of(vertices)), torch.from_numpy(models.cross_matrix())
    angle_of, turns = torch.from_numpy(models.angles_of_bones()), torch.from_numpy(models.turn_matrices())

    def function():
        angles = torch.cat([theta, torch.zeros(1)])[angle_of][:, :, None, None]
        cosine, sine, rest = (turns[:, None, k] for k in range(3))
        around_x, around_z = torch.cos(angles) * cosine + torch.sin(angles) * sine + rest
        relative = base @ (around_z @ around_x)
        levels = [relative[0:1], relative[0:1] @ relative[1:22:4]]
        above = levels[1][:5]
        for level in range(2, 5):
            above = above @ relative[level:21:4]
            levels.append(above)
        bones = (torch.cat(levels) @ inverse)[:, :3].permute(1, 0, 2).reshape(3, 88)
        positions = rotation_of(theta[0:3], cross) @ (bones @ skin) + theta[3:6, None]
        shares = torch.cat([us, 1 - torch.sum(us, 0, keepdim=True)])
        at = torch.sum(positions[:, corners].reshape(3, 3, seen) * shares, 1)
        return torch.sum(torch.square(points - at))

    return Differentiated([theta, us], function)
