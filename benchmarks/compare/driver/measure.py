"""One workload in all engines: the same results first, then times, interleaved."""

import contextlib

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


def measure(workload, commands, rounds, say):
    """{"engine": {"ns": median, "rss": kb, "ratio": of the first engine's time over this one's, "interval"}}."""
    with contextlib.ExitStack() as stack:
        running = prepare(workload, commands, stack, say)
        sample_ns = SAMPLE_NS if rounds > 2 else SAMPLE_NS / 10
        steps = {name: steps_of(engine, sample_ns) for name, engine in running.items()}
        times = {name: [] for name in running}
        order = list(running)
        for _ in range(rounds):
            for name in order:
                times[name].append(running[name].ask(f"run {steps[name]}")["ns"])
            order = order[1:] + order[:1]
        memory = {name: engine.ask("rss")["kb"] for name, engine in running.items()}
    results = {}
    first = next(iter(times), None)
    for name, samples in times.items():
        ratios = [ours / theirs for ours, theirs in zip(times[first], samples)]
        results[name] = {
            "ns": median(samples),
            "rss": memory[name],
            "ratio": median(ratios),
            "interval": interval(ratios),
        }
    return results
