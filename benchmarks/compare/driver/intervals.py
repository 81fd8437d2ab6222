"""Medians and their intervals."""

import math
import statistics


def median(values):
    return statistics.median(values)


def interval(values, confidence=0.95):
    """An interval that holds the median of what the values are drawn from with at least this probability, by order
    statistics, whatever the distribution: of n values in order, from the k-th smallest to the k-th largest, where fewer
    than k of n fair coins show heads in at most (1 - confidence) / 2 of all cases. None for fewer than six values."""
    n, k, below = len(values), 0, 0.0
    while True:
        below += math.comb(n, k) / 2**n
        if below > (1 - confidence) / 2:
            break
        k += 1
    if k == 0:
        return None
    ordered = sorted(values)
    return ordered[k - 1], ordered[n - k]
