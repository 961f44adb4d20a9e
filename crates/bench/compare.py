#!/usr/bin/env python3
"""surprisal beside its peers: builds what it needs, runs everyone in turns, prints tables.

    crates/bench/compare.py                                   every task, everyone who is there, 3 rounds
    crates/bench/compare.py --who surprisal,by_hand,jax --tasks T1,T3 --rounds 5 --threads 1,2
    crates/bench/compare.py --scaling                         how time grows with the batch and the width
    crates/bench/compare.py --isa avx2                        as on a processor without AVX-512
    crates/bench/compare.py --startup --build                 what starting costs, and a clean build
    crates/bench/compare.py --from target/compare.jsonl       the tables of an earlier run

A round runs each task once for each of them, so that what disturbs the machine disturbs all alike; a ratio is taken within a round. Each
run is a process of its own. PyTorch, JAX, MLX and tinygrad are looked for in the interpreters of --python, all others are built with cargo.
"""

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
RUST = ["by_hand", "candle", "burn", "dfdx"]
PYTHON = {"torch": "torch", "torch_fused": "torch", "torch_compile": "torch", "jax": "jax", "mlx": "mlx.core", "tinygrad": "tinygrad"}
EVERYONE = ["surprisal", *RUST, *PYTHON]
TASKS = ["T1", "T2", "T3", "T4", "T5q", "T5c", "T6"]
TASKS += ["T7ce_1024x10", "T7ce_128x32000", "T7bce_1M", "T8_b1", "T8_b64"]
FACTORS = [2, 4]
SCALED = [f"{task}/batch{f}" for task in TASKS[:6] for f in FACTORS]
SCALED += [f"{task}/width{f}" for task in TASKS[1:6] for f in FACTORS]
OPERATIONS = ["log_softmax", "softmax", "layer_norm", "batch_norm", "gather", "where", "embedding"]
OPERATIONS = [f"OP{name}_{size}" for size in ["128x32000", "4096x64"] for name in OPERATIONS]


def masks(simd, aten, others, xla, cpu):
    """What lowers the instruction set of everyone who can be asked to; BENCH_CPU is the target-cpu of the peers in Rust."""
    return {
        "SURPRISAL_SIMD": simd,
        "ATEN_CPU_CAPABILITY": aten,
        "MKL_ENABLE_INSTRUCTIONS": others,
        "ONEDNN_MAX_CPU_ISA": others.replace("SSE4_2", "SSE41"),
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_max_isa={xla}".strip(),
        "DEV": f"CPU:CLANG:x86_64,{cpu}",
        "BENCH_CPU": cpu,
    }


ISA = {
    "avx2": masks("avx2", "avx2", "AVX2", "AVX2", "x86-64-v3"),
    "baseline": masks("baseline", "default", "SSE4_2", "SSE4_2", "x86-64"),
}
UNMASKED = {
    "by_hand": "faer finds AVX-512 when it runs",
    "burn": "the elementwise loops of its backend find AVX-512 when they run",
    "torch_compile": "what it compiles is for the processor at hand (-march=native), with vectors as ATEN_CPU_CAPABILITY says",
}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


# ---- who is there


def cargo(*arguments, folder=ROOT, target=TARGET):
    """Builds; the path of the executable, or the reason why there is none."""
    command = ["cargo", *arguments, "--message-format=json-render-diagnostics"]
    say("building:", *command)
    env = os.environ | {"CARGO_TARGET_DIR": str(target)}
    done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, text=True)
    built = [json.loads(line).get("executable") for line in done.stdout.splitlines() if line.startswith("{")]
    built = [path for path in built if path]
    return (built[-1], None) if done.returncode == 0 and built else (None, "it does not build")


def find_operations(who, pythons):
    """The command that runs someone's single operations, nothing that trains once, and a reason if there is none."""
    if who == "surprisal":
        path, problem = cargo("bench", "--no-run", "-p", "surprisal-bench", "--bench", "ops")
        return [path], None, problem
    if who not in ("torch", "torch_compile", "jax"):
        return None, None, "it has no single operations"
    command, _, problem = find(who, pythons)
    return command and [command[0], str(BENCH / "peers" / "ops.py"), who], None, problem


def find(who, pythons):
    """The command that runs someone's tasks, the one that trains once, and a reason if there are none."""
    if who == "surprisal":
        tasks, problem = cargo("bench", "--no-run", "-p", "surprisal-bench", "--bench", "tasks")
        once, other = cargo("build", "--release", "-p", "surprisal-bench", "--example", "t2_once")
        return [tasks], [once], problem or other
    if who in RUST:
        build = ["build", "--release", "--features", who, "--bin", who]
        target, cpu = TARGET / "peers", os.environ.get("BENCH_CPU")
        if cpu:  # the last target-cpu counts
            build += ["--config", f'build.rustflags=["-Ctarget-cpu={cpu}"]']
            target = TARGET / f"peers-{cpu}"
        path, problem = cargo(*build, folder=BENCH / "peers", target=target)
        return [path], [path, "once"], problem
    for python in pythons:
        needs = f"import numpy, {PYTHON[who]}"
        if shutil.which(python) and not subprocess.run([python, "-c", needs], capture_output=True).returncode:
            file = "mlx_tinygrad.py" if who in ("mlx", "tinygrad") else "torch_jax.py"
            command = [python, str(BENCH / "peers" / file), who]
            return command, [*command, "once"], None
    return None, None, f"no interpreter of --python has {PYTHON[who]} and numpy"


def there(find, options):
    """The commands of everyone who is there: for tasks, and to train once."""
    commands, once = {}, {}
    for who in options.who:
        command, single, problem = find(who, options.python)
        if problem:
            say(f"{who} is left out: {problem}")
        else:
            commands[who], once[who] = command, single
    return commands, once


def environment(threads, seconds):
    pools = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "MATMUL_NUM_THREADS", "BENCH_THREADS"]
    return os.environ | {name: str(threads) for name in pools} | {"BENCH_SECONDS": str(seconds)}


# ---- runs


def measure(commands, tasks, threads, options, out):
    lines = []
    turns = list(itertools.product(range(options.rounds), threads, tasks, commands))
    for turn, (round, count, task, who) in enumerate(turns, 1):
        if who == "dfdx" and "/" in task:
            continue
        say(f"{turn}/{len(turns)}: round {round + 1}, {task}, {who}, {count} thread(s)")
        env = environment(count, options.seconds)
        try:
            done = subprocess.run([*commands[who], task], env=env, capture_output=True, text=True, timeout=600)
        except subprocess.TimeoutExpired:
            say(f"  {who} has not finished {task} in ten minutes")
            continue
        if done.returncode:
            say(f"  {who} failed: {' '.join(done.stderr.split()[-40:])}")
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                lines.append(json.loads(line) | {"round": round, "isa": os.environ.get("SURPRISAL_SIMD") or "widest"})
                keep(out, lines[-1])
    return lines


def start_up(commands, options, out):
    """A whole process that trains T2 for one step: wall time, time on a core, the most memory it held."""
    runs = {who: [] for who in commands}
    for round in range(options.rounds):
        for who, command in commands.items():
            for _ in range(3 if who in PYTHON else 20):
                start = time.perf_counter()
                process = subprocess.Popen(command, env=environment(1, 1), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                told = process.stdout.read()
                _, status, usage = os.wait4(process.pid, 0)
                wall, process.returncode = time.perf_counter() - start, status
                if not status:
                    runs[who].append((wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3, json.loads(told)["peak_mb"]))
    lines = []
    for who, figures in runs.items():
        if figures:
            wall, cpu, peak = zip(*figures)
            line = {"who": who, "task": "start-up", "ms": statistics.median(wall), "min_ms": min(wall)}
            lines.append(line | {"cpu_ms": statistics.median(cpu), "peak_mb": max(peak), "runs": len(figures)})
            keep(out, lines[-1])
    return lines


def clean_build(out):
    """The library alone: seconds of a clean release build, and how many crates it compiles."""
    packages = [f"-psurprisal-{name}" for name in ("tensor", "layers", "loss", "optim")]
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"CARGO_TARGET_DIR": folder}
        subprocess.run(["cargo", "fetch"], cwd=ROOT, check=True, capture_output=True)
        start = time.perf_counter()
        subprocess.run(["cargo", "build", "--release", *packages], cwd=ROOT, env=env, check=True)
        seconds = time.perf_counter() - start
    line = {"who": "surprisal", "task": "clean build", "seconds": seconds, "crates": crates(ROOT, *packages)}
    keep(out, line)
    return [line]


def crates(folder, *arguments):
    tree = ["cargo", "tree", "-e", "normal,build", "--prefix", "none", *arguments]
    told = subprocess.run(tree, cwd=folder, check=True, capture_output=True, text=True).stdout
    return len({line.removesuffix(" (*)") for line in told.splitlines() if line})


def keep(out, line):
    out.write(json.dumps(line) + "\n")
    out.flush()


# ---- tables


def table(header, rows):
    print("\n| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def spread(values, form):
    middle = form(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({form(min(values))} to {form(max(values))})"


def us(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def times(value):
    return f"{value:,.0f}x" if value >= 100 else f"{value:.1f}x" if value >= 10 else f"{value:.2f}x"


def index(lines):
    """By thread count, task and who: the runs by round."""
    found = {}
    for line in lines:
        if "us" in line:
            found.setdefault((line["threads"], line["task"], line["who"]), {})[line["round"]] = line
    return found


def in_order(names, order):
    return sorted(set(names), key=lambda name: (order.index(name) if name in order else len(order), name))


def ratios(lines):
    found = index(lines)
    everyone = in_order([who for _, _, who in found], EVERYONE)
    for threads in sorted({threads for threads, _, _ in found}):
        tasks = in_order([task for count, task, _ in found if count == threads and "/" not in task], TASKS + OPERATIONS)
        isa = ", ".join(sorted({line.get("isa", "widest") for line in lines if "us" in line}))
        print(f"\n{threads} thread(s), instruction set {isa}: surprisal in microseconds a step; the others as multiples of it in the same round: "
              "median (least to greatest)")
        table(["task", *everyone, "fastest peer"], [ratio_row(found, threads, task, everyone) for task in tasks])
    if any(line.get("clean", 5) < 5 for line in lines):
        print("\n\\* disturbed: fewer than 5 blocks in which the process did not wait for a core")
    per_node = [(line["ns_per_node"], line["nodes"]) for line in lines if "ns_per_node" in line]
    if per_node:
        print(f"\nT6: {spread([ns for ns, _ in per_node], us)} ns for each of its {per_node[0][1]:.0f} nodes")


def ratio_row(found, threads, task, everyone):
    ours = found.get((threads, task, "surprisal"), {})
    row, best = [task], {}
    for who in everyone:
        runs = ours if who == "surprisal" else found.get((threads, task, who), {})
        together = [round for round in runs if round in ours]
        star = "*" if any(run["clean"] < 5 for run in runs.values()) else ""
        if not runs:
            row.append("-")
        elif who == "surprisal" or not together:
            row.append(spread([run["us"] for run in runs.values()], us) + " us" + star)
        else:
            multiples = [runs[round]["us"] / ours[round]["us"] for round in together]
            row.append(spread(multiples, times) + star)
            if who != "by_hand":
                best[who] = statistics.median(multiples)
    fastest = min(best, key=best.get, default=None)
    return [*row, f"{times(best[fastest])} ({fastest})" if fastest else "-"]


def agreement(lines):
    """Whether everyone did the same work: the relative difference of each loss to surprisal's, or to the median without it."""
    losses = {}
    for line in lines:
        if line.get("loss5") is not None:
            losses.setdefault(line["task"], {}).setdefault(line["who"], line["loss5"])
    if not any(len(by) > 1 for by in losses.values()):
        return
    print("\nLosses after five steps, relative difference to surprisal's:")
    rows, everyone = [], in_order([who for by in losses.values() for who in by if who != "surprisal"], EVERYONE)
    for task in in_order(losses, TASKS + SCALED + OPERATIONS):
        by = losses[task]
        middle = by.get("surprisal", statistics.median(by.values()))
        row = [task]
        for who in everyone:
            off = abs(by[who] - middle) / abs(middle) if who in by else None
            row.append("-" if off is None else f"{off:.0e}" + " **differs**" * (off > 5e-6))
        rows.append(row)
    table(["task", *everyone], rows)


def growth(lines):
    found = index(lines)
    scaled = [task for _, task, _ in found if "/" in task]
    if not scaled:
        return
    everyone = in_order([who for _, task, who in found if "/" in task], EVERYONE)
    print("\nHow many times as long a step takes with so many times the rows, or hidden layers so many times as wide:")
    rows = []
    for task in in_order(scaled, SCALED):
        row = [task]
        for who in everyone:
            small, large = found.get((1, task.split("/")[0], who), {}), found.get((1, task, who), {})
            grown = [large[r]["us"] / small[r]["us"] for r in large if r in small]
            row.append(spread(grown, times) if grown else "-")
        rows.append(row)
    table(["task", *everyone], rows)


def costs(lines):
    started = [line for line in lines if line["task"] == "start-up"]
    if started:
        print("\nA whole process that trains T2 for one step:")
        rows = [[l["who"], f"{l['ms']:.2f}", f"{l['min_ms']:.2f}", f"{l['cpu_ms']:.2f}", f"{l['peak_mb']:.1f}"] for l in started]
        table(["who", "ms", "least ms", "ms on a core", "peak MB"], rows)
    for line in lines:
        if line["task"] == "clean build":
            print(f"\nA clean release build of tensor, layers, loss and optim: {line['seconds']:.1f} s, {line['crates']} crates with these")


def names(text):
    return text.split(",")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--who", type=names, default=EVERYONE, help="of " + ", ".join(EVERYONE))
    parser.add_argument("--tasks", type=names, default=[""], help="those whose names start so: T1,T7ce")
    parser.add_argument("--threads", type=names, default=["1"], help="1,2: how many each of them may use")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each run")
    parser.add_argument("--scaling", action="store_true", help="also with 2 and 4 times the rows and the width")
    parser.add_argument("--startup", action="store_true", help="start-up time and memory, instead of tasks")
    parser.add_argument("--build", action="store_true", help="a clean build of the library, instead of tasks")
    parser.add_argument("--isa", choices=ISA, help="lower the instruction set of all that can be asked to")
    parser.add_argument("--python", type=names, default=[sys.executable], help="interpreters that may have torch, jax, mlx or tinygrad")
    parser.add_argument("--out", type=Path, default=TARGET / "compare.jsonl", help="raw lines of JSON")
    parser.add_argument("--from", type=Path, dest="old", help="print the tables of such a file, and run nothing")
    options = parser.parse_args()
    unknown = set(options.who) - set(EVERYONE)
    if unknown:
        parser.error(f"--who: {', '.join(sorted(unknown))} is none of {', '.join(EVERYONE)}")
    if options.isa:
        os.environ.update(ISA[options.isa])
        for who in set(options.who) & set(UNMASKED):
            say(f"{who} is not limited to {options.isa}: {UNMASKED[who]}")

    if options.old:
        lines = [json.loads(line) for line in options.old.read_text().splitlines()]
    else:
        wanted = lambda tasks: [task for task in tasks if task.startswith(tuple(options.tasks))]
        groups = [(wanted(TASKS + SCALED * options.scaling), find), (wanted(OPERATIONS), find_operations)]
        if not any(tasks for tasks, _ in groups):
            parser.error(f"--tasks: none of {', '.join(TASKS + OPERATIONS)} starts so")
        options.out.parent.mkdir(parents=True, exist_ok=True)
        lines = []
        with options.out.open("w") as out:
            if options.startup:
                lines += start_up(there(find, options)[1], options, out)
            if options.build:
                lines += clean_build(out)
            for tasks, found_by in groups:
                if tasks and not options.startup and not options.build:
                    threads = [int(n) for n in options.threads]
                    lines += measure(there(found_by, options)[0], tasks, threads, options, out)
        say(f"the raw lines are in {options.out}")
    ratios(lines)
    agreement(lines)
    growth(lines)
    costs(lines)


if __name__ == "__main__":
    main()
