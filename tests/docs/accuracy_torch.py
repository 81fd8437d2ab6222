# What PyTorch gives for the functions of docs/accuracy.md, at given points and in the same dtype.
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
S = torch.special

ONE = {
    "neg": torch.neg, "square": torch.square, "abs": torch.abs, "sign": torch.sign, "relu": F.relu, "relu6": F.relu6,
    "hardtanh": F.hardtanh, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "trunc": torch.trunc, "frac": torch.frac,
    "nan_to_num": torch.nan_to_num, "clamp -1 to 2": lambda x: torch.clamp(x, -1, 2),
    "lerp to 3 by 0.25": lambda x: torch.lerp(x, torch.full_like(x, 3), 0.25),
    "prelu 0.25": lambda x: F.prelu(x, torch.full((1,), 0.25, dtype=x.dtype)),
    "add_number 0.75": lambda x: x + 0.75, "sub_number 0.75": lambda x: x - 0.75, "mul_number 0.75": lambda x: x * 0.75,
    "div_number 0.75": lambda x: x / 0.75, "number_sub 0.75": lambda x: 0.75 - x, "number_div 0.75": lambda x: 0.75 / x,
    "maximum_number 0.75": lambda x: torch.clamp(x, min=0.75), "minimum_number 0.75": lambda x: torch.clamp(x, max=0.75),
    "exp": torch.exp, "exp2": torch.exp2, "expm1": torch.expm1, "log": torch.log, "log2": torch.log2,
    "log10": torch.log10, "log1p": torch.log1p, "logit": torch.logit, "sinh": torch.sinh, "cosh": torch.cosh,
    "tanh": torch.tanh, "asinh": torch.asinh, "acosh": torch.acosh, "atanh": torch.atanh, "sin": torch.sin,
    "cos": torch.cos, "tan": torch.tan, "asin": torch.asin, "acos": torch.acos, "atan": torch.atan,
    "sinc": torch.sinc, "erf": torch.erf, "erfc": torch.erfc, "erfcx": S.erfcx, "erfinv": torch.erfinv,
    "normal_cdf": S.ndtr, "log_ndtr": S.log_ndtr, "lgamma": torch.lgamma, "digamma": torch.digamma,
    "i0": S.i0, "i1": S.i1, "sigmoid": torch.sigmoid, "log_sigmoid": F.logsigmoid, "silu": F.silu, "mish": F.mish,
    "softplus": lambda x: F.softplus(x, threshold=float("inf")),
    "softplus beta 3": lambda x: F.softplus(x, 3, float("inf")), "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "leaky_relu 0.01": F.leaky_relu, "elu": F.elu,
    "celu 1.5": lambda x: F.celu(x, 1.5), "selu": F.selu, "softsign": F.softsign, "tanhshrink": F.tanhshrink,
    "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid, "hardshrink 0.5": F.hardshrink,
    "softshrink 0.5": F.softshrink, "threshold 0.5 and 3": lambda x: F.threshold(x, 0.5, 3),
    "number_pow 1.75": lambda x: torch.pow(1.75, x),
}
for n in (1, 2, 4):
    ONE[f"polygamma {n}"] = lambda x, n=n: torch.polygamma(n, x)
for c in ("0.5", "1.75", "2", "3", "-1.25"):
    ONE[f"pow_number {c}"] = lambda x, c=float(c): x**c

TWO = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "maximum": torch.maximum,
    "minimum": torch.minimum, "fmax": torch.fmax, "fmin": torch.fmin, "copysign": torch.copysign, "fmod": torch.fmod,
    "remainder": torch.remainder, "floor_divide": torch.floor_divide, "pow": torch.pow, "atan2": torch.atan2,
    "hypot": torch.hypot, "logaddexp": torch.logaddexp, "xlogy": torch.xlogy, "xlog1py": S.xlog1py,
}

ROWS = {
    "softmax": lambda x: torch.softmax(x, 1), "log_softmax": lambda x: torch.log_softmax(x, 1),
    "logsumexp": lambda x: torch.logsumexp(x, 1), "norm": lambda x: torch.linalg.vector_norm(x, dim=1),
}


def version():
    return torch.__version__.split("+")[0]


def slopes(y, inputs):
    if not y.requires_grad:
        return [torch.zeros_like(x) for x in inputs]
    return [torch.zeros_like(x) if g is None else g
            for g, x in zip(torch.autograd.grad(y.sum(), inputs, create_graph=True, allow_unused=True), inputs)]


def values(label, points, dtype, of_rows):
    """Of each point the value, the first derivatives and the second ones; None where PyTorch has no derivatives."""
    # Zeros that PyTorch allocates nothing for become numbers by a sum.
    numbers = torch.tensor(points, dtype=torch.float64).to(getattr(torch, dtype))
    inputs = [numbers.clone()] if of_rows else [column.clone() for column in numbers.T]
    for x in inputs:
        x.requires_grad_()
    first_of_row = lambda t: t[:, 0] if t.dim() == 2 else t
    try:
        y = first_of_row((ROWS if of_rows else ONE if len(inputs) == 1 else TWO)[label](*inputs))
        first = slopes(y, inputs)
        second = []
        for k, slope in enumerate(first):
            second += slopes(first_of_row(slope), inputs)[k:]
    except RuntimeError:
        return None
    listed = [[(x.detach() + 0.0).double().reshape(len(points), -1).tolist() for x in part] for part in ([y], first, second)]
    return [[sum((x[i] for x in part), []) for part in listed] for i in range(len(points))]
