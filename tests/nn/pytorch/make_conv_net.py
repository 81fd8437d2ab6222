"""Makes conv_net.safetensors for tests/nn/pytorch_test.cpp: a small conv net, trained a little by PyTorch,
with its outputs, gradients and running statistics.

usage: make_conv_net.py    (made with PyTorch 1.13, Debian's python3-torch)

The file holds the model's state_dict by its own names and, under "check.", what the model must give:
  check.input, check.labels        a batch of 4
  check.output                     of the model in evaluation
  check.loss                       mean cross-entropy of the model in training
  check.grad.NAME                  its gradient in parameter NAME
  check.after.NAME                 buffer NAME after that one forward in training
"""
import json
import pathlib
import struct

import torch
from torch import nn


def save(path, tensors):
    """Writes the safetensors format by hand, since Debian packages no writer of it."""
    names = {torch.float32: "F32", torch.int64: "I64"}
    header, data = {}, b""
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        values = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2,
                               bias=False)
        self.bn2 = nn.BatchNorm2d(6, eps=1e-3, momentum=0.3)
        self.head = nn.Linear(24, 3)

    def forward(self, x):  # [n, 2, 9, 8]
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))  # [n, 4, 4, 4]
        x = torch.relu(self.bn2(self.conv2(x)))  # [n, 6, 2, 2]
        return self.head(x.flatten(1))


torch.manual_seed(20)
torch.set_num_threads(1)
model = ConvNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for _ in range(20):
    x = torch.randn(16, 2, 9, 8) * 1.5 + 0.5
    labels = (x.mean((1, 2, 3)) * 8 - 3).round().clamp(0, 2).long()
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), labels).backward()
    optimizer.step()

tensors = {name: value.clone() for name, value in model.state_dict().items()}
x = torch.randn(4, 2, 9, 8) * 1.5 + 0.5
labels = torch.tensor([0, 2, 1, 2])
tensors |= {"check.input": x, "check.labels": labels}
model.eval()
tensors["check.output"] = model(x)
model.train()
optimizer.zero_grad()
loss = nn.functional.cross_entropy(model(x), labels)
loss.backward()
tensors["check.loss"] = loss
tensors |= {"check.grad." + name: parameter.grad for name, parameter in model.named_parameters()}
tensors |= {"check.after." + name: buffer for name, buffer in model.named_buffers()}
save(pathlib.Path(__file__).with_name("conv_net.safetensors"), tensors)
