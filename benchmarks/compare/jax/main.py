"""The engine jax of the comparison: compiled by jit, as its users do, with donated parameters."""

import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers"))

import jax  # noqa: E402

import derivatives  # noqa: E402
import networks  # noqa: E402
import objectives  # noqa: E402
import operations  # noqa: E402
import scalars  # noqa: E402
import sequences  # noqa: E402
from serve import serve  # noqa: E402

families = {}
for module in (scalars, networks, operations, sequences, derivatives, objectives):
    families |= module.FAMILIES
# Threads are those of the cores that the driver leaves to the process.
serve("jax", jax.__version__, families, lambda threads: None)
