"""Writes transformers.safetensors: small modules of norms and attention by PyTorch's own random starting values, with
what they give. Names are <model>.state.<name of the state>, <model>.in.<input>, <model>.out.<result>, and for
gradients of the sum of squares of the first result <model>.grad.<name>.

    python make_transformers.py
"""

import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(14)
tensors = {}


def note(model, kind, **values):
    for name, value in values.items():
        tensors[f"{model}.{kind}.{name}"] = value.detach().clone().contiguous()


def add(name, module, inputs, call):
    """Runs a module, with the gradients of its parameters and of the input x."""
    for parameter in module.parameters():  # norms would be ones and zeros, and biases zeros
        if parameter.dim() == 1:
            nn.init.uniform_(parameter, 0.5, 1.5)
    note(name, "state", **module.state_dict())
    note(name, "in", **inputs)
    inputs["x"].requires_grad_()
    results = call(*inputs.values())
    results = results if isinstance(results, tuple) else (results,)
    note(name, "out", **{str(i): result for i, result in enumerate(results)})
    (results[0] ** 2).sum().backward()
    note(name, "grad", x=inputs["x"].grad, **{n: p.grad for n, p in module.named_parameters()})
    inputs["x"].requires_grad_(False)
    return module


rms = nn.RMSNorm([3, 4])
add("rms", rms, {"x": torch.randn(2, 3, 4)}, rms)
group = nn.GroupNorm(2, 6)
add("group", group, {"x": torch.randn(3, 6, 4)}, group)
instance = nn.InstanceNorm2d(3, affine=True, track_running_stats=True)
x = torch.randn(4, 3, 2, 3) * 2 + 1
add("instance", instance, {"x": x}, instance)
note("instance", "after", **instance.state_dict())
instance.eval()
note("instance", "after", eval=instance(x))

options = {"batch_first": True}
attention = nn.MultiheadAttention(8, 2, **options)
padding = torch.tensor([[False, False, False, True], [False, True, False, False]])
hidden = torch.tensor([[False, True, False, False], [False, False, True, False], [False, False, False, False]])
add("attention", attention,
    {"x": torch.randn(2, 3, 8), "key": torch.randn(2, 4, 8), "padding": padding, "hidden": hidden},
    lambda x, key, padding, hidden: attention(x, key, key, key_padding_mask=padding, attn_mask=hidden))
wide = nn.MultiheadAttention(6, 3, kdim=5, vdim=4, **options)
add("wide", wide,
    {"x": torch.randn(2, 3, 6), "key": torch.randn(2, 4, 5), "value": torch.randn(2, 4, 4),
     "added": torch.randn(6, 3, 4)},
    lambda x, key, value, added: wide(x, key, value, attn_mask=added, average_attn_weights=False))

layer = {"d_model": 8, "nhead": 2, "dim_feedforward": 12, "dropout": 0.0, "batch_first": True}
encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(**layer), 2, enable_nested_tensor=False)
add("encoder", encoder, {"x": torch.randn(2, 4, 8), "padding": padding},
    lambda x, padding: encoder(x, src_key_padding_mask=padding))
first = nn.TransformerEncoder(
    nn.TransformerEncoderLayer(**layer, norm_first=True, activation="gelu", bias=False), 1, nn.LayerNorm(8, bias=False),
    enable_nested_tensor=False)
causal = nn.Transformer.generate_square_subsequent_mask(4)
add("first", first, {"x": torch.randn(2, 4, 8)}, lambda x: first(x, mask=causal, is_causal=True))
decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**layer), 1, nn.LayerNorm(8))
add("decoder", decoder, {"x": torch.randn(2, 4, 8), "memory": torch.randn(2, 4, 8), "padding": padding},
    lambda x, memory, padding: decoder(x, memory, tgt_mask=causal, tgt_is_causal=True,
                                       memory_key_padding_mask=padding))
last = nn.TransformerDecoder(nn.TransformerDecoderLayer(**layer, norm_first=True), 2)
add("last", last, {"x": torch.randn(2, 3, 8), "memory": torch.randn(2, 4, 8)}, last)

save_file(tensors, "transformers.safetensors")
