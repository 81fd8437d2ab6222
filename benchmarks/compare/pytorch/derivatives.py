"""Derivatives of derivatives, a variational autoencoder."""

import math

import torch
from torch.nn import functional

from helpers import Differentiated, Training, constant, leaf
from inputs import integers, parameters
from serve import Workload


def dense_parameters(sizes):
    shapes = []
    for inside, outside in zip(sizes, sizes[1:]):
        shapes += [(outside, inside), (outside,)]
    return [torch.from_numpy(p).requires_grad_() for p in parameters(shapes)]


def dense(p, x, activation):
    for k in range(0, len(p), 2):
        x = functional.linear(x, p[k], p[k + 1])
        if k + 2 < len(p):
            x = activation(x)
    return x


def training(p, loss, rate):
    return Training(p, loss, torch.optim.Adam(p, lr=rate, fused=True))


class Hvp(Workload):
    def __init__(self, batch):
        self.x, self.labels = constant(1, (batch, 784), 0, 1), torch.from_numpy(integers(2, (batch,), 10))
        self.p = dense_parameters([784, 256, 128, 10])
        self.v = [constant(50 + k, p.shape) for k, p in enumerate(self.p)]
        self.loss = self.products = None

    def step(self):
        self.loss = functional.cross_entropy(dense(self.p, self.x, torch.tanh), self.labels)
        gradients = torch.autograd.grad(self.loss, self.p, create_graph=True)
        self.products = torch.autograd.grad(gradients, self.p, self.v)

    def outputs(self):
        return [self.loss.detach().numpy()] + [p.numpy() for p in self.products]


def pinn(name, rate):
    p = dense_parameters([1, 32, 32, 1])
    x = leaf(1, (name.numbers[0], 1), 0, 1)
    force = torch.sin(x.detach() * math.pi) * math.pi**2

    def loss():
        u = dense(p, x, torch.tanh)
        (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        (curvature,) = torch.autograd.grad(slope.sum(), x, create_graph=True)
        return torch.mean(torch.square(curvature + force))

    return training(p, loss, rate)


def maml(name, rate):
    p = dense_parameters([1, 40, 40, 1])
    tasks = [[constant(100 + 4 * t + k, (10, 1)) for k in range(4)] for t in range(name.numbers[0])]

    def loss():
        total = 0
        for x, y, later_x, later_y in tasks:
            inner = functional.mse_loss(dense(p, x, torch.relu), y)
            gradients = torch.autograd.grad(inner, p, create_graph=True)
            moved = [a - g * 0.1 for a, g in zip(p, gradients)]
            total = total + functional.mse_loss(dense(moved, later_x, torch.relu), later_y)
        return total / len(tasks)

    return training(p, loss, rate)


def vae(name, rate):
    batch = name.numbers[0]
    shapes = [(256, 784), (256,), (32, 256), (32,), (256, 16), (256,), (784, 256), (784,)]
    p = [torch.from_numpy(value).requires_grad_() for value in parameters(shapes)]
    x, noise = constant(1, (batch, 784), 0, 1), constant(3, (batch, 16))

    def loss():
        mu, log_variance = dense(p[:4], x, torch.relu).split(16, 1)
        scores = dense(p[4:], mu + torch.exp(log_variance * 0.5) * noise, torch.relu)
        pixels = functional.binary_cross_entropy_with_logits(scores, x, reduction="sum")
        divergence = torch.sum(torch.square(mu) + torch.exp(log_variance) - log_variance - 1) * 0.5
        return (pixels + divergence) / batch

    return training(p, loss, rate)


FAMILIES = {
    "hvp_mlp": lambda name, _rate: Hvp(name.numbers[0]),
    "pinn_step": pinn,
    "maml": maml,
    "vae_step": vae,
}
