"""What the families share."""

import torch

from inputs import numbers, parameters
from serve import Workload


def constant(stream, shape, low=-1.0, high=1.0):
    return torch.from_numpy(numbers(stream, shape, low, high))


def leaf(stream, shape, low=-1.0, high=1.0):
    return constant(stream, shape, low, high).requires_grad_()


class Differentiated(Workload):
    """Forward and backward of a function of leaves; `cotangent` is that of the result, none for a loss."""

    def __init__(self, leaves, function, cotangent=None):
        self.leaves, self.function, self.cotangent = leaves, function, cotangent
        self.result = None

    def step(self):
        for x in self.leaves:
            x.grad = None
        self.result = None
        result = self.function()
        result.backward(self.cotangent)
        self.result = result

    def outputs(self):
        return [self.result.detach().numpy()] + [x.grad.numpy() for x in self.leaves]


class Training(Workload):
    """`learnt` parameters get the numbers that all engines give them."""

    def __init__(self, learnt, loss, optimizer):
        self.learnt, self.loss, self.optimizer = list(learnt), loss, optimizer
        with torch.no_grad():
            for p, value in zip(self.learnt, parameters([p.shape for p in self.learnt])):
                p.copy_(torch.from_numpy(value))
        self.last = None

    def step(self):
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        self.optimizer.step()
        self.last = loss

    def outputs(self):
        return [self.last.detach().numpy()] + [
            (torch.zeros_like(p) if p.grad is None else p.grad).numpy() for p in self.learnt
        ]
