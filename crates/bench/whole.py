#!/usr/bin/env python3
"""A whole run of `surprisal train` beside PyTorch, JAX and scikit-learn: from the files of the data to the saved model.

    crates/bench/whole.py --mnist DIR                      the IDX files of MNIST: 784-128-64-10, Adam, batches of 64, 5 epochs
    crates/bench/whole.py --tables                         a million rows of 20 numbers, with classes and with numbers to predict, 2 epochs
    crates/bench/whole.py --mnist DIR --rounds 5 --who surprisal,torch --python target/peers/bin/python

The programs of the peers are in peers/whole.py. Each run is a process of its own, with one thread on one core (`--threads`), in turns: a
ratio is taken within a round. All evaluate the training and the test set after every epoch, but for torch_test and jax_test, which evaluate
the test set alone, and scikit-learn, which evaluates once. surprisal also writes its report. On a machine with other work, seconds on a core
are less disturbed than seconds. Needs Linux.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from compare import cargo, environment, names, say, spread, table, times

BENCH = Path(__file__).resolve().parent
PEERS = {
    "mnist": {"torch": "torch", "torch_fused": "torch", "torch_test": "torch", "jax": "jax", "jax_test": "jax"},
    "table": {"sklearn": "sklearn, pandas"},
}
MNIST = ["--model", "784-128-64-10", "--opt", "adam", "--lr", "0.001", "--schedule", "constant", "--batch", "64"]
TABLE = ["--target", "target", "--hidden", "32", "--opt", "adam", "--schedule", "constant", "--batch", "64"]


def write_table(path, rows, classes):
    """Normal numbers; the target is a sum of functions of some of them with noise, or which third of those sums it is in."""
    rng = random.Random(1)
    with path.open("w") as file:
        file.write(",".join([f"x{k}" for k in range(20)]) + ",target\n")
        for _ in range(rows):
            x = [rng.gauss(0, 1 + k) for k in range(20)]
            y = x[0] - x[1] + abs(x[2]) + 0.1 * x[3] * x[0] + rng.gauss(0, 1)
            y = ("low" if y < 0.5 else "middle" if y < 3 else "high") if classes else f"{y:.6g}"
            file.write(",".join([f"{number:.6g}" for number in x]) + f",{y}\n")


def run(command, threads, folder):
    """Seconds, seconds on a core and peak MB of a process; what it prints."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads]))
    env = environment(threads, 1)
    with (folder / "printed").open("w+") as printed:
        start = time.perf_counter()
        process = subprocess.Popen(["taskset", "-c", cores, *command], env=env, stdout=printed, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds, process.returncode = time.perf_counter() - start, status
        printed.seek(0)
        return status, (seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000), printed.read()


def commands(kind, data, options, folder):
    """Who runs, and how."""
    epochs = "5" if kind == "mnist" else "2"
    found = {}
    for who in ["surprisal", *PEERS[kind]]:
        if not any(who.startswith(name) for name in options.who):
            continue
        if who == "surprisal":
            settings = ["--data", f"mnist:{data}", *MNIST] if kind == "mnist" else ["--data", data, *TABLE]
            program = options.surprisal or cargo("build", "--release", "-p", "surprisal-cli")[0]
            found[who] = [str(program), "train", "--quiet", "--out", str(folder / "run"), "--epochs", epochs, *settings]
            continue
        for python in options.python:
            if not subprocess.run([python, "-c", f"import {PEERS[kind][who]}"], capture_output=True).returncode:
                found[who] = [python, str(BENCH / "peers" / "whole.py"), who, data, str(folder), epochs, str(options.threads)]
                break
        else:
            say(f"{who} is left out: no interpreter of --python has {PEERS[kind][who]}")
    return found


def measure(kind, title, data, options):
    runs = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        everyone = commands(kind, data, options, folder)
        for round in range(options.rounds):
            for who, command in everyone.items():
                shutil.rmtree(folder / "run", ignore_errors=True)
                status, figures, printed = run(command, options.threads, folder)
                if status:
                    say(f"{who} failed: {printed}")
                    continue
                score = printed.strip().splitlines()[-1]
                say(f"{title}: round {round + 1}, {who}: {figures[0]:.2f} s, {figures[1]:.2f} s on a core; {score}")
                runs.setdefault(who, {})[round] = figures
    print(f"\n{title}, {options.threads} thread(s); ratios to surprisal in the same round: median (least to greatest)")
    ours, rows = runs.get("surprisal", {}), []
    for who, figures in runs.items():
        by = lambda k, form: spread([run[k] for run in figures.values()], form)
        ratio = lambda k: spread([run[k] / ours[at][k] for at, run in figures.items() if at in ours], times) if ours else "-"
        rows.append([who, by(0, seconds), by(1, seconds), by(2, "{:.0f}".format), ratio(0), ratio(1)])
    table(["who", "seconds", "on a core", "peak MB", "ratio", "ratio on a core"], rows)


def seconds(value):
    return f"{value:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, help="the folder with the four IDX files of MNIST, each also with .gz")
    parser.add_argument("--tables", action="store_true", help="the two tables, written to a temporary folder")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the tables")
    parser.add_argument("--who", type=names, default=["surprisal", "torch", "jax", "sklearn"], help="those whose names start so")
    parser.add_argument("--threads", type=int, default=1, help="and cores that each of them may use")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", type=names, default=[sys.executable], help="interpreters that may have torch, jax or sklearn")
    parser.add_argument("--surprisal", type=Path, help="the command, if it is not to be built")
    options = parser.parse_args()
    if not options.mnist and not options.tables:
        parser.error("--mnist DIR, --tables or both")
    if options.mnist:
        measure("mnist", "MNIST, 5 epochs", str(options.mnist), options)
    if options.tables:
        with tempfile.TemporaryDirectory() as folder:
            for kind, classes in [("classes", True), ("numbers", False)]:
                path = Path(folder, f"{kind}.csv")
                write_table(path, options.rows, classes)
                measure("table", f"{options.rows:,} rows, {kind}, 2 epochs", str(path), options)


if __name__ == "__main__":
    main()
