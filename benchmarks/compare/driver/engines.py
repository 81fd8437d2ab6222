"""Engines: where they are, and a process of one that answers lines."""

import importlib.util
import json
import os
import subprocess
import sys

COMPARE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = ["xtgrad", "xtgrad_replay", "by_hand", "tape", "libtorch", "pytorch", "jax"]
PACKAGES = {"pytorch": "torch", "jax": "jax"}


class EngineError(Exception):
    pass


def command_of(name, programs):
    """How an engine is started, or None and why not."""
    if name in PACKAGES:
        if importlib.util.find_spec(PACKAGES[name]) is None:
            return None, f"{sys.executable} finds no package {PACKAGES[name]}"
        return [sys.executable, os.path.join(COMPARE, name, "main.py")], None
    program = os.path.join(programs, "compare_" + name)
    if not os.path.exists(program):
        return None, f"{program} is not built"
    return [program], None


def cores(threads):
    """The last cores that this process may use: the first ones serve the system's interrupts."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    return set(sorted(os.sched_getaffinity(0))[-threads:])


def environment(name, threads):
    variables = dict(os.environ)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        variables[variable] = str(threads)
    if name in PACKAGES:
        variables.pop("OPENBLAS_CORETYPE", None)  # of this machine's BLAS, not of the one in a wheel
        variables["JAX_PLATFORMS"] = "cpu"
        if threads == 1:
            variables["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return variables


class Engine:
    """A process of an engine, for one workload: its peak of memory, its caches and its threads are that one's."""

    def __init__(self, name, command, threads):
        self.name = name
        mine = cores(threads)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(name, threads),
            preexec_fn=(lambda: os.sched_setaffinity(0, mine)) if mine else None,
        )

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # its end says more
        answer = self.process.stdout.readline()
        if not answer:
            raise EngineError(f"{self.name} ended with code {self.process.wait()} at '{line}'")
        answer = json.loads(answer)
        if "error" in answer:
            raise EngineError(f"{self.name}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
