"""The comparison: reads the list of workloads, measures each in all engines that are there, prints a table."""

import argparse
import json
import os
import re
import sys

import table
from bounds import work_of
from engines import COMPARE, NAMES, Engine, EngineError, command_of
from measure import Disagreement, measure, threads_of


def say(text):
    print("xtgrad: " + text, file=sys.stderr, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/benchmark.sh")
    parser.add_argument("filter", nargs="?", default="", help="regular expression that a workload's name must match")
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--json", metavar="FILE", help="one row a line, for machines")
    parser.add_argument("--rounds", type=int, default=15, help="interleaved samples of each engine (15)")
    parser.add_argument("--engines", default=",".join(NAMES), help="of " + ",".join(NAMES) + "; the first is the measure")
    parser.add_argument("--quick", action="store_true", help="a smoke run: two rounds of a few workloads")
    parser.add_argument("--list", action="store_true", help="print the workloads' names")
    return parser.parse_args()


def workloads(options):
    names = []
    with open(os.path.join(COMPARE, "workloads.txt"), encoding="utf-8") as lines:
        for text in lines:
            words = text.partition("#")[0].split()
            if words and re.search(options.filter, words[0]) and (not options.quick or "quick" in words[1:]):
                names.append(words[0])
    return names


def find_engines(options):
    commands = {}
    for name in options.engines.split(","):
        if name not in NAMES:
            raise SystemExit(f"xtgrad: no engine '{name}': there are {', '.join(NAMES)}")
        command, missing = command_of(name, options.programs)
        if command is None:
            say(f"without {name}: {missing}")
            continue
        try:
            with Engine(name, command, 1) as engine:
                print(f"{name}: {engine.ask('about')['version']}")
            commands[name] = command
        except (EngineError, ValueError) as error:
            say(f"without {name}: {error}")
    return commands


def main():
    options = parse_arguments()
    names = workloads(options)
    if options.list:
        print("\n".join(names))
        return 0
    if not names:
        say(f"no workload matches '{options.filter}'")
        return 1
    rounds = 2 if options.quick else options.rounds
    print(table.machine())
    commands = find_engines(options)
    if not commands:
        say("no engine is there")
        return 1
    order = list(commands)
    columns = order + ["bound"] if "by_hand" in commands and any(map(work_of, names)) else order
    print(f"Medians of {rounds} interleaved samples; ratios: medians of the pairs' ratios, with 95 % intervals by order "
          "statistics.\n")  # fmt: skip
    print(table.line(table.header(columns)))
    print(table.rule(table.header(columns)), flush=True)
    failed = False
    rows = open(options.json, "w", encoding="utf-8") if options.json else None
    for name in names:
        try:
            results = measure(name, commands, rounds, say)
        except (Disagreement, EngineError) as error:
            say(f"no row: {error}")
            failed = True
            continue
        if order[0] not in results:
            say(f"{name}: {order[0]} has it not")
            continue
        print(table.line(table.row(name, columns, results)), flush=True)
        for engine, result in results.items() if rows else ():
            if engine not in commands:
                continue
            row = {"workload": name, "engine": engine, "threads": threads_of(name)}
            row |= {"median_ns": result["ns"], "peak_rss_kb": result["rss"]}
            rows.write(json.dumps(row) + "\n")
            rows.flush()
    if rows:
        rows.close()
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
