"""Runs programs in PyTorch, in double precision, and compares values, gradients and Hessian-vector products.

python compare.py CASES: one dictionary a line, as python_cases.cpp writes them. Exits with 1 if something differs or
nothing was compared.
"""
import math
import sys

import torch

import prelude

# Of the largest number of its kind. Both compute in double, in other orders of summation.
TOLERANCE = 1e-9

# Where PyTorch has no second derivative: by operation, what it says. A program with such a step is compared to first
# order alone.
NO_SECOND = {
    "ctc_loss": "derivative for aten::_ctc_loss_backward is not implemented",
}

# Where PyTorch itself has fewer digits: its polygamma(1, x), the derivative of digamma, is off by 5e-10 (by mpmath, from
# 0.6 to 4.2), and what follows from it by more.
IMPRECISE = {"digamma": 1e-7, "polygamma": 1e-7}

names = prelude.environment()


def tensor_of(leaf):
    dtype, shape, numbers = leaf
    kind = getattr(torch, dtype)
    if kind != torch.float64:
        numbers = [int(x) for x in numbers]
    tensor = torch.tensor(numbers, dtype=kind).reshape(shape)
    return tensor.requires_grad_() if kind == torch.float64 else tensor


def joined(tensors, like):
    """One row of numbers, zeros for what is None."""
    rows = [torch.zeros_like(x) if t is None else t for t, x in zip(tensors, like)]
    return torch.cat([row.reshape(-1) for row in rows]) if rows else torch.zeros(0, dtype=torch.float64)


def off(found, wanted, size):
    """How far they are from one another, as a share of the largest; `size` is what terms that cancel have."""
    wanted = torch.tensor(wanted, dtype=torch.float64)
    if found.shape != wanted.shape:
        return math.inf
    if found.numel() == 0:
        return 0.0
    both = ~(found == wanted) & ~(found.isnan() & wanted.isnan())
    if not both.any():
        return 0.0
    scale = max(wanted[wanted.isfinite()].abs().max().item() if wanted.isfinite().any() else 0.0, 1e-3 * max(1.0, size))
    difference = ((found - wanted)[both].abs().max() / scale).item()
    return math.inf if math.isnan(difference) else difference


class Tally:
    def __init__(self):
        self.compared = self.differ = self.first_only = 0
        self.largest = 0.0

    def judge(self, name, what, found, wanted, size, case):
        distance = off(found.detach(), wanted, size)
        allowed = max([TOLERANCE] + [IMPRECISE[o] for o in case["operations"] if o in IMPRECISE])
        if distance <= allowed:
            self.largest = max(self.largest, distance)
            return True
        print(f"{name}, {what}: off by {distance:.3g} of the largest")
        for number, step in enumerate(case["steps"]):
            print(f"  v{number + len(case['leaves'])} = {step}")
        return False


def compare(case, tally):
    leaves = [tensor_of(leaf) for leaf in case["leaves"]]
    variables = [leaf for leaf in leaves if leaf.requires_grad]
    values = {f"v{i}": leaf for i, leaf in enumerate(leaves)}
    for number, step in enumerate(case["steps"]):
        try:
            values[f"v{number + len(leaves)}"] = eval(step, names, values)
        except Exception as error:
            raise RuntimeError(f"{step}: {error}") from error
    terms = [prelude.weighted(values[f"v{i}"], i) for i in case["outputs"]]
    name = case["name"]
    size = max(abs(x) for x in case["terms"])
    good = tally.judge(name, "values", torch.stack(terms), case["terms"], size, case)
    loss = sum(terms)
    gradients = [None] * len(variables)
    if loss.requires_grad and variables:
        gradients = torch.autograd.grad(loss, variables, create_graph=True, allow_unused=True)
    row = joined(gradients, variables)
    good = tally.judge(name, "gradient", row, case["gradient"], size, case) and good
    lacking = [operation for operation in case["operations"] if operation in NO_SECOND]
    if lacking:
        tally.first_only += 1
        return good
    seconds = [None] * len(variables)
    if row.requires_grad:
        product = (row * torch.tensor(case["direction"], dtype=torch.float64)).sum()
        seconds = torch.autograd.grad(product, variables, allow_unused=True)
    return tally.judge(name, "second derivatives", joined(seconds, variables), case["second"], size, case) and good


def main():
    torch.set_num_threads(1)
    tally = Tally()
    for line in open(sys.argv[1]):
        case = eval(line, {"nan": math.nan, "inf": math.inf})
        tally.compared += 1
        try:
            good = compare(case, tally)
        except RuntimeError as error:
            print(f"{case['name']}: {error}")
            good = False
        tally.differ += not good
    print(f"{tally.compared} compared with PyTorch {torch.__version__} ({tally.first_only} to first order), "
          f"{tally.differ} differ; of the others the furthest is off by {tally.largest:.2g}")
    sys.exit(tally.compared == 0 or tally.differ != 0)


if __name__ == "__main__":
    main()
