"""Writes npy and npz files for python_test.cpp, or checks those that it wrote.

usage: numpy_files.py write|check_npy|check_npz FOLDER

Ends with 77 where numpy is missing.
"""
import os
import sys

try:
    import numpy as np
except ImportError:
    sys.exit(77)

# As in python_test.cpp.
grid = (np.arange(24) * 0.25 - 3).reshape(2, 3, 4)
whole = np.arange(24).reshape(2, 3, 4)


def write(folder):
    for kind in ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8"]:
        name = kind[1:] + ("_big" if kind[0] == ">" else "")
        np.save(os.path.join(folder, name + ".npy"), grid.astype(kind))
    for kind in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", ">i2", ">i4", ">i8"]:
        np.save(os.path.join(folder, kind.replace(">", "big_") + ".npy"), whole.astype(kind))
    np.save(os.path.join(folder, "b1.npy"), grid > 0)
    np.save(os.path.join(folder, "columns.npy"), np.asfortranarray(grid))
    np.save(os.path.join(folder, "scalar.npy"), np.float32(2.5))
    np.save(os.path.join(folder, "empty.npy"), np.zeros((3, 0, 2), "f4"))
    for version in (2, 3):
        with open(os.path.join(folder, f"version{version}.npy"), "wb") as file:
            np.lib.format.write_array(file, grid, version=(version, 0))
    arrays = {"grid": grid, "größe/b": whole, "none": np.zeros((0, 2), "f4")}
    np.savez(os.path.join(folder, "stored.npz"), **arrays)
    np.savez_compressed(os.path.join(folder, "deflated.npz"), **arrays)
    np.savez(os.path.join(folder, "pickled.npz"), a=np.array([{}], dtype=object))


def same(name, found, expected):
    if found.dtype != expected.dtype or found.shape != expected.shape or not np.array_equal(found, expected):
        sys.exit(f"{name}: found {found.dtype} {found!r}, expected {expected.dtype} {expected!r}")


expected = {
    "float32": grid.astype("f4"),
    "float64": grid,
    "int64": whole,
    "int32": whole.astype("i4"),
    "uint8": whole.astype("u1"),
    "bool": grid > 0,
    "scalar": np.array(2.5, "f4"),
    "empty": np.zeros((3, 0, 2), "f4"),
    "vector": np.array([1, 2, 3]),
}


def check_npy(folder):
    for name, value in expected.items():
        same(name + ".npy", np.load(os.path.join(folder, name + ".npy")), value)


def check_npz(folder):
    for file in ["stored.npz", "deflated.npz"]:
        with np.load(os.path.join(folder, file)) as archive:
            if archive.files != list(expected):
                sys.exit(f"{file}: found {archive.files}, expected {list(expected)}")
            for name, value in expected.items():
                same(file + " " + name, archive[name], value)


{"write": write, "check_npy": check_npy, "check_npz": check_npz}[sys.argv[1]](sys.argv[2])
