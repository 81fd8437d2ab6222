"""Makes recurrent.safetensors for tests/nn/recurrent_test.cpp: recurrent networks of PyTorch over sequences of
different lengths, with their outputs, last states and gradients.

usage: make_recurrent.py    (made with PyTorch 2.15)

The file holds the networks' states under "rnn.", "gru." and so on by their own names and, under "check.":
  check.x, check.lengths           a batch of three sequences [steps, n, input]
  check.NET.h, check.NET.c         the states before the first step
  check.NET.output, .last_h, .last_c
  check.NET.grad.NAME              gradients of the loss in a parameter, or in "x", "h" and "c"; the loss is
                                   sum(output * output) + 2 sum(last_h) + 3 sum(last_c)
"""
import pathlib
import struct
import json

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def save(path, tensors):
    """Writes the safetensors format by hand."""
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


torch.manual_seed(14)
torch.set_num_threads(1)
steps, items, inputs, hidden = 4, 3, 2, 3
nets = {
    "rnn": nn.RNN(inputs, hidden, nonlinearity="relu"),
    "gru": nn.GRU(inputs, hidden, num_layers=2, bidirectional=True),
    "lstm": nn.LSTM(inputs, hidden, num_layers=2, bidirectional=True),
    "projected": nn.LSTM(inputs, hidden, bias=False, proj_size=2),
}
x = torch.randn(steps, items, inputs, requires_grad=True)
lengths = torch.tensor([2, 4, 1])
tensors = {"check.x": x, "check.lengths": lengths}
for name, net in nets.items():
    x.grad = None
    layers = net.num_layers * (2 if net.bidirectional else 1)
    h = torch.randn(layers, items, net.proj_size or hidden, requires_grad=True)
    c = torch.randn(layers, items, hidden, requires_grad=True)
    is_lstm = isinstance(net, nn.LSTM)
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    output, last = net(packed, (h, c) if is_lstm else h)
    output, _ = pad_packed_sequence(output, total_length=steps)
    last_h, last_c = last if is_lstm else (last, None)
    loss = (output * output).sum() + 2 * last_h.sum() + (3 * last_c.sum() if is_lstm else 0)
    loss.backward()
    tensors |= {f"{name}.{key}": value for key, value in net.state_dict().items()}
    check = f"check.{name}."
    tensors |= {check + "h": h, check + "output": output, check + "last_h": last_h}
    tensors |= {check + "grad." + key: value.grad for key, value in net.named_parameters()}
    tensors |= {check + "grad.x": x.grad.clone(), check + "grad.h": h.grad}
    if is_lstm:
        tensors |= {check + "c": c, check + "last_c": last_c, check + "grad.c": c.grad}
save(pathlib.Path(__file__).with_name("recurrent.safetensors"), tensors)
