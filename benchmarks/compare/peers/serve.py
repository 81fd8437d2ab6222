"""Answers the driver's lines in Python, as common/serve.h does in C++."""

import json
import re
import sys
import time

import numpy as np

from inputs import unit_numbers

RATE_OF_CHECKS = 1e-3
RATE_OF_RUNS = 1e-7


class Name:
    """ "mlp_sgdm/128@2" is family mlp_sgdm, arguments "128", on 2 threads."""

    def __init__(self, text):
        text, _, threads = text.partition("@")
        self.threads = int(threads or 1)
        self.family, _, self.arguments = text.partition("/")
        self.kind = self.arguments.partition("-")[0]
        self.numbers = [int(n) for n in re.findall(r"\d+", self.arguments)]


def by_kind(kinds):
    """The factory of a family whose names begin with a kind, `family/kind-numbers`; `kinds` has one for each."""

    def make(name, rate):
        return kinds[name.kind](name, rate) if name.kind in kinds else None

    return make


class Workload:
    """step() is what is timed; finish() waits for it where it runs behind; outputs() is what it computed."""

    def step(self):
        raise NotImplementedError

    def outputs(self):
        raise NotImplementedError

    def finish(self):
        pass


def moments(values):
    """What can be compared of random numbers: mean and variance, coarsely (common/moments.h)."""
    values = np.asarray(values, dtype=np.float64)
    return np.round(np.array([values.mean(), values.var()]) * 50) / 50


def digest(values):
    values = np.asarray(values, dtype=np.float64).ravel()
    return [float(values @ (2 * unit_numbers(999, values.size) - 1)), float(np.sqrt(values @ values))]


def prepare(families, name, set_threads):
    make = families.get(name.family)
    if make is None:
        return None, {"unknown": True}
    set_threads(name.threads)
    workload = make(name, RATE_OF_CHECKS)
    if workload is None:
        return None, {"unknown": True}
    workload.step()
    first = [digest(values) for values in workload.outputs()]
    workload.step()
    workload.step()
    third = [digest(values) for values in workload.outputs()]
    del workload
    workload = make(name, RATE_OF_RUNS)
    for _ in range(3):  # compilers in time
        workload.step()
    workload.finish()
    return workload, {"first": first, "third": third}


def run(workload, steps):
    start = time.perf_counter_ns()
    for _ in range(steps):
        workload.step()
    workload.finish()
    return {"ns": (time.perf_counter_ns() - start) / steps}


def peak_kb():
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def serve(engine, version, families, set_threads):
    workload = None
    for line in sys.stdin:
        verb, *arguments = line.split()
        try:
            if verb == "about":
                answer = {"engine": engine, "version": version}
            elif verb == "prepare":
                workload, answer = prepare(families, Name(arguments[0]), set_threads)
            elif verb == "run":
                answer = run(workload, int(arguments[0]))
            elif verb == "rss":
                answer = {"kb": peak_kb()}
            else:
                raise ValueError("no such request: " + line)
        except Exception as error:  # whatever it is, the driver says it and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
