# What tests/docs/pytorch_table.h writes, read and compared with what PyTorch gives.
import math

import torch


def read(path):
    """The operands, a tensor each, and the results, lists of tensors, by their names.

    A line is "operand NAME | SIZES : ELEMENTS" or "result NAMES | SIZES | SIZES : ELEMENTS".
    """
    operands, results = {}, {}
    for line in open(path):
        head, numbers = line.rsplit(" :", 1)
        elements = torch.tensor([float(number) for number in numbers.split()], dtype=torch.float64)
        kind, rest = head.split(" ", 1)
        name, *shapes = rest.split(" | ")
        shapes = [[int(size) for size in sizes.split()] for sizes in shapes]
        parts = torch.split(elements, [math.prod(sizes) for sizes in shapes])
        tensors = [part.reshape(sizes) for part, sizes in zip(parts, shapes)]
        if kind == "operand":
            operands[name] = tensors[0]
        else:
            results[name] = tensors
    return operands, results


def alike(found, wanted, rtol, atol):
    if found is None or [list(part.shape) for part in found] != [list(part.shape) for part in wanted]:
        return False
    return all(torch.allclose(p, q.double(), rtol=rtol, atol=atol, equal_nan=True) for p, q in zip(found, wanted))


def compare(results, expected, rtol, atol):
    """Prints each difference, of a shape or of numbers, and how many were compared. Whether there is one."""
    different = 0
    for names, expression in expected.items():
        value = expression()
        wanted = [value] if isinstance(value, torch.Tensor) else list(value)
        found = results.get(names)
        if not alike(found, wanted, rtol, atol):
            different += 1
            print(f"{names}: {found} here, {wanted} in PyTorch")
    print(f"{len(expected)} compared, {different} differ")
    return different != 0
