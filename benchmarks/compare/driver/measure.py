"""One workload in all engines: the same results first, then times, interleaved."""

import contextlib

from bounds import bound_ns, work_of
from engines import Engine, EngineError
from intervals import interval, median

# Of a tensor's norm. Roundings are far below; but where they push a number over a kink, of relu or of a maximum, an
# element's gradient goes another way. After two steps of Adam, which makes as much of a gradient of 1e-9 as of one
# of 1, gradients are further apart, and the loss still is not.
TOLERANCE = 2e-3
LATER_TOLERANCE = 3e-2
SAMPLE_NS = 30e6


class Disagreement(Exception):
    pass


def threads_of(workload):
    return int(workload.partition("@")[2] or 1)


def compare(workload, name, answer, base, expected):
    """Raises Disagreement unless both have computed the same."""
    for step in ("first", "third"):
        if len(answer[step]) != len(expected[step]):
            raise Disagreement(f"{workload}: {name} has {len(answer[step])} outputs, {base} {len(expected[step])}")
        for k, (mine, other) in enumerate(zip(answer[step], expected[step])):
            share = TOLERANCE if step == "first" or k == 0 else LATER_TOLERANCE
            # not for NaN either
            if not all(abs(x - y) <= share * max(other[1], 1e-30) for x, y in zip(mine, other)):
                raise Disagreement(
                    f"{workload}: output {k} of the {step} step of {name} differs from {base}'s: projection "
                    f"{mine[0]:.9g} and norm {mine[1]:.9g}, not {other[0]:.9g} and {other[1]:.9g}"
                )


def prepare(workload, commands, stack, say):
    """Engines that have the workload, and agree with the first of them."""
    running, expected = {}, None
    for name, command in commands.items():
        engine = stack.enter_context(Engine(name, command, threads_of(workload)))
        try:
            answer = engine.ask("prepare " + workload)
        except EngineError as error:
            if name == "xtgrad":
                raise
            say(f"{workload}: left out: {error}")
            continue
        if "unknown" in answer:
            continue
        if expected is None:
            base, expected = name, answer
        compare(workload, name, answer, base, expected)
        running[name] = engine
    return running


def steps_of(engine, sample_ns):
    """How many steps last as long as a sample should."""
    steps = 1
    while True:
        ns = engine.ask(f"run {steps}")["ns"]
        if steps * ns >= sample_ns / 4:
            return max(1, round(sample_ns / ns))
        steps = max(steps * 2, min(steps * 10, round(sample_ns / max(ns, 0.1))))


def references(workload, commands, stack):
    """Engines that measure what a bound is made of, where the workload has one."""
    if work_of(workload) is None or "by_hand" not in commands:
        return {}
    engines = {}
    for name in ("sgemm", "stream"):
        engines[name] = stack.enter_context(Engine("by_hand", commands["by_hand"], 1))
        engines[name].ask("prepare reference/" + name)
    return engines


def sample(running, rounds):
    """Samples of each engine, taken in turns; each round begins with another one."""
    sample_ns = SAMPLE_NS if rounds > 2 else SAMPLE_NS / 10
    steps = {name: steps_of(engine, sample_ns) for name, engine in running.items()}
    times = {name: [] for name in running}
    order = list(running)
    for _ in range(rounds):
        for name in order:
            times[name].append(running[name].ask(f"run {steps[name]}")["ns"])
        order = order[1:] + order[:1]
    return times


def result_of(ours, theirs):
    ratios = [mine / other for mine, other in zip(ours, theirs)]
    return {"ns": median(theirs), "ratio": median(ratios), "interval": interval(ratios)}


def measure(workload, commands, rounds, say):
    """{"engine": {"ns": median, "rss": kb, "ratio": of the first engine's time over this one's, "interval"}}, and
    "bound" among them for convolutions."""
    with contextlib.ExitStack() as stack:
        running = prepare(workload, commands, stack, say)
        beside = references(workload, commands, stack)
        times = sample(running | beside, rounds)
        memory = {name: engine.ask("rss")["kb"] for name, engine in running.items()}
    first = next(iter(running), None)
    results = {name: result_of(times[first], times[name]) | {"rss": memory[name]} for name in running}
    if beside and running:
        bounds = [bound_ns(work_of(workload), *pair) for pair in zip(times["sgemm"], times["stream"])]
        results["bound"] = result_of(times[first], bounds)
    return results
