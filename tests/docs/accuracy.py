# Measures how far values and derivatives are from the truth, and writes or checks docs/accuracy.md.
# usage: python accuracy.py VALUES PAGE write|compare
#
# VALUES is written by tests/docs/long_accuracy_test.cpp (its form: tests/support/measured_functions.h). References are
# those of accuracy_reference.py, and PyTorch's numbers, where there is torch, those of accuracy_torch.py at the same
# points. `write` makes the page's table anew, `compare` holds what was measured to what the page says.
import math
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from accuracy_reasons import reasons  # noqa: E402
from accuracy_reference import reference  # noqa: E402
from mpmath import mpf, frexp  # noqa: E402

try:
    import accuracy_torch
except ImportError:
    accuracy_torch = None

DIGITS = {"float32": (24, 128, -125), "float64": (53, 1024, -1021)}
BEGIN, END = "<!-- begin: tests/docs/accuracy.py -->\n", "\n<!-- end -->"


def ulps(got, want, dtype):
    """Units in the last place of the dtype at the reference; infinity is the number after the largest."""
    digits, top, bottom = DIGITS[dtype]
    if math.isnan(got):
        return math.inf
    limit = mpf(2) ** top
    want = max(-limit, min(limit, want))
    number = (limit if got > 0 else -limit) if math.isinf(got) else mpf(got)
    exponent = max(min(frexp(want)[1], top), bottom) if want else bottom
    return float(abs(number - want) / mpf(2) ** (exponent - digits))


class Region:
    def __init__(self, head):
        self.label, self.where, self.dtype, operands, kind = (part.strip() for part in head[1:].split("|"))
        self.operands, self.of_rows = int(operands), kind == "rows"
        self.points, self.got = [], []

    def add(self, line):
        numbers = [[float.fromhex(word) if word != "nan" else math.nan for word in part.split()]
                   for part in line.replace("-nan", "nan").split(":")]
        self.points.append(numbers[0])
        self.got.append(numbers[1:])


def read(path):
    regions = []
    for line in open(path):
        if line.startswith("#"):
            regions.append(Region(line))
        elif line.strip():
            regions[-1].add(line)
    return regions


def summary(errors):
    """The median and the largest."""
    errors = sorted(errors)
    return errors[len(errors) // 2], errors[-1]


def errors_of(got, wanted, region):
    """For the value, the first and the second derivatives: the errors at all points."""
    parts = ([], [], [])
    for mine, truth in zip(got, wanted):
        for part, some, right in zip(parts, mine, truth):
            part.extend(ulps(a, b, region.dtype) for a, b in zip(some, right, strict=True))
    return parts


def measured(region):
    wanted = [reference(region.label, point) for point in region.points]
    own = [summary(part) for part in errors_of(region.got, wanted, region)]
    theirs = None
    if accuracy_torch is not None:
        values = accuracy_torch.values(region.label, region.points, region.dtype, region.of_rows)
        if values is not None:
            theirs = [summary(part) for part in errors_of(values, wanted, region)]
    return own, theirs


def number(x):
    if x == 0 or math.isinf(x):
        return "0" if x == 0 else "inf"
    return f"{x:.2f}" if 0.01 <= x < 10 else f"{x:.0f}" if 10 <= x < 1e4 else f"{x:.0e}"


def cell(pair):
    return f"{number(pair[0])} / {number(pair[1])}"


ORDERS = ("value", "first", "second")


def is_farther(own, theirs):
    """Whether a measured pair is worse than PyTorch's by more than where both round may explain."""
    return own[1] > 1.25 * theirs[1] + 0.5 or own[0] > 1.25 * theirs[0] + 0.25


def reason_for(label, where, dtype, order):
    for index, (labels, places, dtypes, orders, text) in enumerate(reasons):
        if (re.fullmatch(labels, label) and re.fullmatch(places, where) and re.fullmatch(dtypes, dtype)
                and order in orders.split()):
            return index, text
    return None, None


def table(regions, results):
    lines = ["| function | where | dtype | value | PyTorch | first | PyTorch | second | PyTorch |",
             "|---|---|---|---|---|---|---|---|---|"]
    for region, (own, theirs) in zip(regions, results):
        cells = []
        for k in range(3):
            cells += [cell(own[k]), cell(theirs[k]) if theirs else "-"]
        lines.append("| " + " | ".join([region.label, region.where, region.dtype] + cells) + " |")
    return lines


def farther(regions, results):
    """The lines of the second table, and what has no reason."""
    lines, lacking, used = [], [], set()
    for region, (own, theirs) in zip(regions, results):
        for order, mine, other in zip(ORDERS, own, theirs or []):
            if not is_farther(mine, other):
                continue
            index, text = reason_for(region.label, region.where, region.dtype, order)
            line = f"| {region.label} | {region.where} | {region.dtype} | {order} | {cell(mine)} | {cell(other)} |"
            if index is None:
                lacking.append(line)
            else:
                used.add(index)
                lines.append(f"{line} {text} |")
    stale = [f"no case of the reason: {reasons[k]}" for k in range(len(reasons)) if k not in used]
    return lines, lacking, stale


def count(results, better):
    return sum(1 for own, theirs in results if theirs for mine, other in zip(own, theirs) if better(mine, other))


def page_text(regions, results):
    lines = table(regions, results)
    behind, lacking, stale = farther(regions, results)
    compared = count(results, lambda mine, other: True)
    ahead = count(results, lambda mine, other: is_farther(other, mine))
    head = [f"Of {compared} cells that PyTorch {accuracy_torch.version()} has a number for, xtgrad is nearer in {ahead}, "
            f"PyTorch in {len(behind) + len(lacking)}, and they are alike in {compared - ahead - len(behind) - len(lacking)}.", ""]
    head += ["### Where PyTorch is nearer, and why", "",
             "| function | where | dtype | derivative | xtgrad | PyTorch | why |", "|---|---|---|---|---|---|---|"]
    return "\n".join(head + behind + ["", "### All", ""] + lines) + "\n", lacking, stale


def parsed(text):
    x = [math.inf if part == "inf" else float(part) for part in text.split("/")]
    return x[0], x[1]


def unlike(measured_pair, page_pair):
    """Other instructions round elsewhere, so up to twice and one more is as the page says, either way."""
    return any(a > 2 * b + 1 or b > 2 * a + 1 for a, b in zip(measured_pair, page_pair))


def differences(page, regions, results):
    rows = {}
    for line in page.splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        if len(parts) == 9 and parts[2] in DIGITS:
            rows[tuple(parts[:3])] = parts[3:]
    found = []
    for region, (own, _) in zip(regions, results):
        row = rows.pop((region.label, region.where, region.dtype), None)
        if row is None:
            found.append(f"no line of {region.label}, {region.where}, {region.dtype}")
            continue
        for k, order in enumerate(ORDERS):
            if unlike(own[k], parsed(row[2 * k])):
                found.append(f"{region.label}, {region.where}, {region.dtype}, {order}: {cell(own[k])} ulps, "
                             f"the page has {row[2 * k]}")
    return found + [f"nothing measured for the line {' '.join(key)}" for key in rows]


def main():
    values, path, what = sys.argv[1:]
    regions = read(values)
    if not regions or any(not region.points for region in regions):
        sys.exit("nothing was measured")
    results = [measured(region) for region in regions]
    page = open(path).read()
    found = []
    if accuracy_torch is not None:
        text, lacking, stale = page_text(regions, results)
        found += [f"PyTorch is nearer, and there is no reason: {line}" for line in lacking] + stale
        if what == "write":
            first, last = page.index(BEGIN) + len(BEGIN), page.index(END)
            page = page[:first] + "\n" + text + page[last:]
            open(path, "w").write(page)
    elif what == "write":
        sys.exit("the page has PyTorch's numbers, too: XTGRAD_PEERS_PYTHON must name a Python that has torch")
    found += differences(page, regions, results)
    print("\n".join(found))
    print(f"{sum(len(region.points) for region in regions)} points of {len(regions)} lines, {len(found)} differ")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
