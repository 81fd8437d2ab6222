"""Times and ratios in words."""

import os
import platform


def duration(ns):
    for unit, size in (("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9)):
        if ns < 1000 * size or unit == "s":
            return f"{ns / size:.3g} {unit}" if ns < 100 * size else f"{ns / size:.0f} {unit}"
    raise AssertionError


def ratio(result):
    text = f"{result['ratio']:.3g}"
    if result["interval"]:
        low, high = result["interval"]
        text += f" [{low:.3g}, {high:.3g}]"
    return text


def header(engines):
    base, others = engines[0], engines[1:]
    return ["workload", base] + [column for name in others for column in (name, f"{base} / {name}")]


def row(workload, engines, results):
    """Cells of a workload; empty where an engine has it not."""
    cells = [workload, duration(results[engines[0]]["ns"])]
    for name in engines[1:]:
        if name in results:
            cells += [duration(results[name]["ns"]), ratio(results[name])]
        else:
            cells += ["", ""]
    return cells


WIDTHS = {0: 26, 1: 9}


def line(cells):
    padded = [cell.ljust(WIDTHS.get(k, 9 if k % 2 == 0 else 21)) for k, cell in enumerate(cells)]
    return "| " + " | ".join(padded) + " |"


def rule(cells):
    return "|" + "|".join("-" * (len(part)) for part in line(cells)[1:-1].split("|")) + "|"


def machine():
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            model = next((text.split(":")[1].strip() for text in info if text.startswith("model name")), model)
    except OSError:
        pass
    load = f", load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores{load}"
