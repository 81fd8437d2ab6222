"""Writes safetensors files for python_test.cpp, or checks the one that it wrote.

usage: safetensors_files.py write|check FOLDER

Ends with 77 where numpy or safetensors are missing.
"""
import os
import sys

try:
    import numpy as np
    from safetensors import safe_open
    from safetensors.numpy import save_file
except ImportError:
    sys.exit(77)

# As in python_test.cpp.
grid = (np.arange(24) * 0.25 - 3).reshape(2, 3, 4)
whole = np.arange(24).reshape(2, 3, 4)


def write(folder):
    tensors = {kind: grid.astype(kind) for kind in ["float16", "float32", "float64"]}
    for kind in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"]:
        tensors[kind] = whole.astype(kind)
    tensors["bool"] = grid > 0
    tensors["scalar"] = np.array(2.5, "f4")
    tensors["empty"] = np.zeros((3, 0, 2), "f4")
    tensors["größe"] = np.array([7], "i8")
    save_file(tensors, os.path.join(folder, "python.safetensors"), metadata={"format": "np"})
    save_file({"a": np.zeros(3, "u8")}, os.path.join(folder, "unsigned.safetensors"))


def check(folder):
    expected = {
        "bool": grid > 0,
        "float32": grid.astype("f4"),
        "int64": whole,
        "int32": whole.astype("i4"),
        "uint8": whole.astype("u1"),
        "float64": grid,
        "scalar": np.array(2.5, "f4"),
        "empty": np.zeros((3, 0, 2), "f4"),
        "größe": np.array([7]),
    }
    with safe_open(os.path.join(folder, "xtgrad.safetensors"), framework="np") as file:
        if sorted(file.keys()) != sorted(expected):
            sys.exit(f"found {file.keys()}, expected {list(expected)}")
        if file.metadata() != {"format_version": "1", "made by": "xtgrad"}:
            sys.exit(f"metadata: found {file.metadata()}")
        for name, value in expected.items():
            found = file.get_tensor(name)
            if found.dtype != value.dtype or found.shape != value.shape or not np.array_equal(found, value):
                sys.exit(f"{name}: found {found.dtype} {found!r}, expected {value.dtype} {value!r}")


{"write": write, "check": check}[sys.argv[1]](sys.argv[2])
