"""The engine pytorch of the comparison: eager, as its users write it, with fused optimizers."""

import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers"))

import torch  # noqa: E402

import derivatives  # noqa: E402
import networks  # noqa: E402
import objectives  # noqa: E402
import operations  # noqa: E402
import scalars  # noqa: E402
import sequences  # noqa: E402
from serve import serve  # noqa: E402

torch.set_num_interop_threads(1)
families = {}
for module in (scalars, networks, operations, sequences, derivatives, objectives):
    families |= module.FAMILIES
serve("pytorch", torch.__version__, families, torch.set_num_threads)
