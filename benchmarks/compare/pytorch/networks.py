"""Training steps of multi-layer perceptrons and convolutional networks."""

import torch
from torch import nn
from torch.nn import functional

from helpers import Training, constant
from inputs import integers


def dense(sizes, activation):
    layers = []
    for inside, outside in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inside, outside), activation()]
    return nn.Sequential(*layers[:-1])


def tiny(name, rate):
    batch = name.numbers[0]
    model = dense([2, 16, 16, 1], nn.Tanh)
    x, y = constant(1, (batch, 2)), constant(2, (batch, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    return Training(model.parameters(), lambda: functional.mse_loss(model(x), y), optimizer)


def digits(name, rate):
    batch = name.numbers[0]
    model = dense([784, 256, 128, 10], nn.ReLU)
    x, labels = constant(1, (batch, 784), 0, 1), torch.from_numpy(integers(2, (batch,), 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, fused=True)
    return Training(model.parameters(), lambda: functional.cross_entropy(model(x), labels), optimizer)


def small_conv_net(name, rate):
    batch = name.numbers[0]
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    x, labels = constant(1, (batch, 1, 28, 28), 0, 1), torch.from_numpy(integers(2, (batch,), 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    return Training(model.parameters(), lambda: functional.cross_entropy(model(x), labels), optimizer)


FAMILIES = {"tiny_mlp_adam": tiny, "mlp_sgdm": digits, "convnet_adam": small_conv_net}
