"""What a convolution may take at most: 75 % of what the machine can do, by a large product and by a large sum that are
measured beside it."""

import re

SHARE = 0.75
SGEMM_FLOPS = 2 * 512**3  # of reference/sgemm
STREAM_BYTES = 3 * 4 * 2**23  # of reference/stream


def work_of(workload):
    """Floating-point operations and bytes of a convolution and both gradients; None for other workloads."""
    family, _, arguments = workload.partition("@")[0].partition("/")
    numbers = [int(n) for n in re.findall(r"\d+", arguments)]
    if family == "conv":
        n, inside, size, outside, kernel, stride, padding, groups = numbers
        result = (size + 2 * padding - kernel) // stride + 1
    elif family == "conv_transpose":
        n, outside, result, inside, kernel, stride, padding = numbers
        size, groups = (result - 1) * stride - 2 * padding + kernel, 1
    else:
        return None
    weights = outside * inside // groups * kernel**2
    flops = 2 * n * result**2 * weights
    elements = n * inside * size**2 + weights + n * outside * result**2
    # Each of the three takes two of image, filter and result, and writes the third.
    return 3 * flops, 3 * 4 * elements


def bound_ns(work, sgemm_ns, stream_ns):
    flops, moved = work
    return max(flops * sgemm_ns / SGEMM_FLOPS, moved * stream_ns / STREAM_BYTES) / SHARE
