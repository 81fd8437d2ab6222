"""Computes the walk's samples in PyTorch, in double precision: values, gradients, and the gradients' derivatives.

python samples_in_pytorch.py CASES: one dictionary a line, as samples_in_pytorch_test.cpp writes them. Exits with 1 if
something differs, if an operation is neither in a table here nor left out with a reason, or nothing was compared.
"""
import math
import re
import sys

import torch
import torch.nn.functional as F

L, S = torch.linalg, torch.special
TOLERANCE = 1e-9


class Unknown(Exception):
    """Attributes that the table does not read."""


def number(text, name, default=None):
    found = re.search(name + r"[ =]\[?(-?[0-9.]+)", text)
    if found is None:
        if default is None:
            raise Unknown(text)
        return default
    value = found.group(1)
    return float(value) if "." in value else int(value)


def axis(text):
    return number(text, "axis")


def axes(text):
    """None for all of them, which is not a list of none."""
    if "all axes" in text:
        return None
    found = re.search(r"axes \[([-0-9, ]*)\]", text)
    if found is None:
        raise Unknown(text)
    return [int(each) for each in found.group(1).split(",") if each.strip()]


def reduced(f):
    """Over axes, which PyTorch takes for all where there are none."""
    def call(text, x):
        which = axes(text)
        if which == []:
            raise Unknown(text)
        return f(x, tuple(range(x.dim())) if which is None else tuple(which), "keepdim" in text)
    return call


def product(x, which, keepdim):
    for each in sorted((a % x.dim() for a in which), reverse=True):
        x = torch.prod(x, each, keepdim)
    return x


def along(f):
    return lambda text, *x: f(*x, axis(text))


def choosing(f):
    return lambda text, x: f(x, axis(text), keepdim="keepdim" in text)


def scanned(f, start):
    def call(text, x):
        where = axis(text)
        if "reverse" in text:
            x = x.flip((where,))
        if "exclusive" in text:
            head = torch.full_like(x.narrow(where, 0, min(1, x.shape[where])), start)
            x = torch.cat((head, x.narrow(where, 0, max(0, x.shape[where] - 1))), where)
        y = f(x, where)
        return y.flip((where,)) if "reverse" in text else y
    return call


def target(text):
    found = re.search(r" to \[([0-9, ]*)\]", text)
    if found is None:
        raise Unknown(text)
    return [int(each) for each in found.group(1).split(",") if each.strip()]


def plain(f):
    """Without attributes, or with those that only say shapes."""
    def call(text, *x):
        if re.sub(r"\[[0-9, ]*\]|and|empty|x |mask|source|index|,| ", "", text):
            raise Unknown(text)
        return f(*x)
    return call


def cross_entropy(text, x, index):
    return -torch.log_softmax(x, axis(text)).gather(axis(text), index.unsqueeze(axis(text))).squeeze(axis(text))


def diagonal_of(f):
    def call(text, x):
        found = re.search(r"offset (-?[0-9]+)(?:, axes (-?[0-9]+) and (-?[0-9]+))?", text)
        if found is None:
            raise Unknown(text)
        return f(x, *[int(each) for each in found.groups() if each is not None])
    return call


def quantile(text, x):
    which = axes(text)
    if x.numel() == 0:
        raise Unknown("PyTorch refuses empty ones")
    return torch.quantile(x, number(text, "q"), None if which is None else one_of(which), keepdim="keepdim" in text)


def one_of(which):
    if len(which) != 1:
        raise Unknown("several axes")
    return which[0]


# Of names that PyTorch does not have, or has elsewhere. All elementwise ones with no attributes are looked up besides.
ELEMENTWISE = {
    "neg": lambda x: -x, "log_sigmoid": F.logsigmoid, "softplus": lambda x: F.softplus(x, threshold=1e300),
    "erfcx": S.erfcx, "log_ndtr": S.log_ndtr, "i1": S.i1, "normal_cdf": S.ndtr, "gelu": F.gelu, "silu": F.silu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "mish": F.mish, "softsign": F.softsign,
    "tanhshrink": F.tanhshrink, "hardswish": F.hardswish, "selu": F.selu, "relu6": F.relu6,
    "hardsigmoid": lambda x: torch.clamp(x + 3, 0, 6) / 6, "xlog1py": S.xlog1py,
    "threshold": None, "celu": None, "leaky_relu": None,  # a number that no sample's attributes say
    "equal": torch.eq, "floor_divide": lambda a, b: torch.floor_divide(a.detach(), b.detach()),
}

OTHERS = {
    "sum": reduced(torch.sum), "mean": reduced(torch.mean), "amax": reduced(torch.amax), "amin": reduced(torch.amin),
    "any": reduced(torch.any), "all": reduced(torch.all), "prod": reduced(product),
    "count_nonzero": reduced(lambda x, which, keepdim: (x != 0).sum(which, keepdim)),
    "norm": lambda text, x: reduced(lambda y, which, keepdim: L.vector_norm(y, number(text, "p"), which, keepdim))(text, x),
    "quantile": quantile,
    "argmax": choosing(torch.argmax), "argmin": choosing(torch.argmin),
    "median": lambda text, x: torch.median(x, axis(text), "keepdim" in text).values,
    "mode": lambda text, x: torch.mode(x, axis(text), "keepdim" in text).values,
    "max": lambda text, x: torch.max(x, axis(text), "keepdim" in text).values,
    "min": lambda text, x: torch.min(x, axis(text), "keepdim" in text).values,
    "cumsum": scanned(torch.cumsum, 0), "cumprod": scanned(torch.cumprod, 1),
    "logcumsumexp": scanned(torch.logcumsumexp, 0),
    "softmax": along(torch.softmax), "log_softmax": along(torch.log_softmax), "softmax_cross_entropy": cross_entropy,
    "alias": plain(lambda x: x.view_as(x)), "reshape": lambda text, x: x.reshape(target(text)),
    "broadcast_to": lambda text, x: x.broadcast_to(target(text)), "sum_to": lambda text, x: x.sum_to_size(target(text)),
    "flatten": lambda text, x: torch.flatten(x, number(text, "from")),
    "sort": lambda text, x: torch.sort(x, axis(text), "descending" in text).values,
    "topk": lambda text, x: torch.topk(x, number(text, "k"), axis(text), "smallest" not in text).values,
    "gather": lambda text, x, i: torch.gather(x, axis(text), i),
    "scatter_add": lambda text, x, i, s: torch.scatter_add(x, axis(text), i, s),
    "index_select": lambda text, x, i: torch.index_select(x, axis(text), i),
    "index_add": lambda text, x, i, s: torch.index_add(x, axis(text), i, s),
    "scatter_mul": lambda text, x, i, s: torch.scatter_reduce(x, axis(text), i, s, "prod"),
    "scatter_max": lambda text, x, i, s: torch.scatter_reduce(x, axis(text), i, s, "amax"),
    "scatter_min": lambda text, x, i, s: torch.scatter_reduce(x, axis(text), i, s, "amin"),
    "take": plain(torch.take), "masked_fill": plain(lambda x, m: x.masked_fill(m, 1)),
    "masked_select": plain(torch.masked_select), "masked_scatter": plain(lambda x, m, s: x.masked_scatter(m, s)),
    "concat": lambda text, *x: torch.cat(x, axis(text)), "stack": lambda text, *x: torch.stack(x, axis(text)),
    "diagonal": diagonal_of(torch.diagonal), "diag_embed": diagonal_of(torch.diag_embed),
    "diag": diagonal_of(torch.diag), "tril": diagonal_of(torch.tril), "triu": diagonal_of(torch.triu),
    "trace": diagonal_of(lambda x, *where: torch.diagonal(x, *where).sum(-1)),
    "unfold": lambda text, x: x.unfold(axis(text), number(text, "size"), number(text, "step")),
    "einsum": lambda text, *x: torch.einsum(text, *x),
    "cross": lambda text, a, b: L.cross(*torch.broadcast_tensors(a, b), dim=axis(text)),
    "outer": lambda text, a, b: torch.outer(a, b), "dot": lambda text, a, b: torch.dot(a, b),
    "kron": plain(torch.kron), "cdist": plain(torch.cdist), "repeat_interleave":
    lambda text, x, *counts: torch.repeat_interleave(x, number(text, "by"), axis(text)),
}


# Random programs (tests/random_programs) compare these in PyTorch, with attributes of their own.
REASONS = {
    "its samples make a matrix of the input that the operation is defined for, or go on with several results":
        ("cholesky cholesky_solve det eigh eigvalsh inverse lstsq lu matrix_exp matrix_norm matrix_power pinv "
         "qr slogdet solve solve_triangular svd svdvals"),
    "PyTorch has no function of this kind":
        ("avg_pool2d_spread conv2d_weight_grad max_pool2d_places max_pool2d_put max_pool2d_take normalize_by "
         "segment_max segment_mean segment_min segment_sum slice_add where_safe"),
    "its samples' attributes, told in words of each sample's own, are not read here yet":
        ("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d "
         "adaptive_max_pool3d add_number affine_grid avg_pool1d avg_pool2d avg_pool3d batch_norm bincount "
         "bitwise_and bitwise_not bitwise_or bitwise_xor celu chunk clamp conv1d conv2d conv3d "
         "conv_transpose1d conv_transpose2d conv_transpose3d ctc_loss cummax cummin div_number elu "
         "equal_number flip fold2d greater_equal_number greater_number grid_sample group_norm hardtanh histc "
         "index_copy instance_norm interpolate layer_norm leaky_relu left_shift lerp less_equal_number "
         "less_number logsumexp lp_pool1d lp_pool2d matmul max_pool1d max_pool2d max_pool3d max_unpool2d "
         "maximum_number meshgrid minimum_number movedim mul_number nan_to_num nonzero not_equal_number "
         "number_div number_pow number_sub pad pad_circular pad_reflect pad_replicate permute pixel_shuffle "
         "pixel_unshuffle polygamma pow_number prelu repeat resample right_shift rms_norm roll "
         "scaled_dot_product_attention scatter searchsorted select select_scatter slice slice_scatter "
         "softshrink split squeeze stddev sub_number take_along_axis tensordot threshold tile transpose unbind "
         "unfold2d unique unsqueeze vander var var_mean"),
}
LEFT_OUT = {name: reason for reason, names in REASONS.items() for name in names.split()}


def call_of(case):
    operation, text = case["operation"], case["attributes"]
    if case["elementwise"]:
        if text:
            raise Unknown(text)
        f = ELEMENTWISE.get(operation, getattr(torch, operation, None))
        if f is None:
            raise Unknown(operation)
        return f
    return lambda *inputs: OTHERS[operation](text, *inputs)


def tensor_of(leaf):
    dtype, shape, numbers = leaf
    kind = getattr(torch, dtype)
    values = numbers if kind == torch.float64 else [int(x) for x in numbers]
    tensor = torch.tensor(values, dtype=kind).reshape(shape)
    return tensor.requires_grad_() if kind == torch.float64 else tensor


def off(found, wanted):
    """As a share of the largest, or of 1e-3 where all are smaller: terms may cancel."""
    wanted = torch.tensor(wanted, dtype=torch.float64)
    found = found.detach().double().reshape(-1)
    if found.shape != wanted.shape:
        return math.inf
    differs = ~(found == wanted) & ~(found.isnan() & wanted.isnan())
    if not differs.any():
        return 0.0
    distance = ((found - wanted)[differs].abs().max() / max(wanted.abs().max().item(), 1e-3)).item()
    return math.inf if math.isnan(distance) else distance


def joined(tensors, like):
    rows = [torch.zeros_like(x) if t is None else t for t, x in zip(tensors, like)]
    return torch.cat([row.reshape(-1) for row in rows]) if rows else torch.zeros(0, dtype=torch.float64)


def compare(case):
    """What is off, as (what, how far)."""
    inputs = [tensor_of(leaf) for leaf in case["inputs"]]
    y = call_of(case)(*inputs)
    yield "value", off(y, case["value"])
    variables = [x for x in inputs if x.requires_grad]
    if not case["gradient"] or not y.requires_grad:
        yield "gradient", off(torch.zeros(len(case["gradient"])), case["gradient"])
        return
    cotangent = torch.tensor(case["cotangent"], dtype=torch.float64).reshape(y.shape)
    row = joined(torch.autograd.grad((y * cotangent).sum(), variables, create_graph=True, allow_unused=True), variables)
    yield "gradient", off(row, case["gradient"])
    seconds = [None] * len(variables)
    if row.requires_grad:
        way = torch.tensor(case["direction"], dtype=torch.float64)
        try:
            seconds = torch.autograd.grad((row * way).sum(), variables, allow_unused=True)
        except RuntimeError as error:
            if "is not implemented" not in str(error):
                raise
            yield "no second derivative", 0.0
            return
    yield "second derivative", off(joined(seconds, variables), case["second"])


def main():
    torch.set_num_threads(1)
    compared, differ, first_only, largest = {}, 0, 0, 0.0
    every, unread = set(), {}
    for line in open(sys.argv[1]):
        case = eval(line, {"nan": math.nan, "inf": math.inf})
        name = f"{case['operation']}({case['attributes']})"
        every.add(case["operation"])
        try:
            for what, distance in compare(case):
                first_only += what == "no second derivative"
                largest = max(largest, distance if distance <= TOLERANCE else 0.0)
                if distance > TOLERANCE:
                    differ += 1
                    print(f"{name}, {what}: off by {distance:.3g}; inputs {case['inputs']}"[:400])
            compared[case["operation"]] = compared.get(case["operation"], 0) + 1
        except (Unknown, KeyError):
            unread[case["operation"]] = unread.get(case["operation"], 0) + 1
        except (RuntimeError, IndexError, TypeError) as error:
            differ += 1
            print(f"{name}: {error}"[:400])
    missing = sorted(every - compared.keys() - LEFT_OUT.keys())
    needless = sorted(LEFT_OUT.keys() & compared.keys())
    if missing:
        print("neither compared nor left out:", ", ".join(missing))
    if needless:
        print("left out, but compared:", ", ".join(needless))
    total = sum(compared.values())
    print(f"{total} samples of {len(compared)} operations compared with PyTorch {torch.__version__} ({first_only} to first "
          f"order), {differ} differ; of the others the furthest is off by {largest:.2g}; {sum(unread.values())} samples left "
          f"out")
    sys.exit(total == 0 or differ != 0 or bool(missing) or bool(needless))


if __name__ == "__main__":
    main()
