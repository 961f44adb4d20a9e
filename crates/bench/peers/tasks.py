"""The work for the peers in Python: the same data, nets and timing as in ../src, where they are described."""

import json
import os
import sys
import time

import numpy as np

#        sizes                   rows  loss             update
NETS = {
    "T1": ([30, 1], 569, "binary", ("sgd", 0.1)),
    "T2": ([2, 16, 16, 1], 100, "binary", ("sgd", 0.01)),
    "T3": ([784, 128, 64, 10], 64, "classes", ("adam", 0.001)),
    "T4": ([784, 1024, 1024, 10], 256, "classes", ("momentum", 0.01)),
    "T5q": ([784, 30, 10], 10, "squared_error", ("sgd", 3.0)),
    "T5c": ([784, 30, 10], 10, "each_output", ("sgd", 0.5)),
}
LOSS_KERNELS = {"T7ce_1024x10": (1024, 10), "T7ce_128x32000": (128, 32000), "T7bce_1M": (1_000_000, 1)}
TASKS = [*NETS, "T6", *LOSS_KERNELS, "T8_b1", "T8_b64"]
SECONDS = float(os.environ.get("BENCH_SECONDS", 1.5))
THREADS = int(os.environ.get("BENCH_THREADS", 1))


def named(task):
    """Sizes, rows, loss and update of "T3", "T3/batch4", "T3/width4"."""
    base, _, scale = task.partition("/")
    sizes, rows, loss, update = NETS[base]
    if scale.startswith("batch"):
        rows *= int(scale[5:])
    elif scale.startswith("width"):
        sizes = [sizes[0], *(size * int(scale[5:]) for size in sizes[1:-1]), sizes[-1]]
    return sizes, rows, loss, update


def wanted(names):
    """The tasks that begin with one of the names, and scaled ones named in full; all if there is no name."""
    return [task for task in TASKS if not names or task.startswith(tuple(names))] + [n for n in names if "/" in n]


def random_bits(seed, n):
    with np.errstate(over="ignore"):
        z = (np.arange(n, dtype=np.uint64) + np.uint64(seed) * np.uint64(1_000_003)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def from_0_to_1(seed, *shape):
    bits = random_bits(seed, int(np.prod(shape))) >> np.uint64(40)
    return (bits.astype(np.float32) / np.float32(1 << 24)).reshape(shape)


def from_minus_1_to_1(seed, *shape):
    return from_0_to_1(seed, *shape) * np.float32(2) - np.float32(1)


def labels(seed, n, classes):
    return ((random_bits(seed, n) >> np.uint64(33)) % np.uint64(classes)).astype(np.int64)


def weights(sizes):
    """A weight [outputs, inputs] and a bias for each layer."""
    bounds = [np.float32(1 / np.sqrt(inputs)) for inputs in sizes]
    return [
        (from_minus_1_to_1(10 + 2 * l, o, i) * bounds[l], from_minus_1_to_1(11 + 2 * l, o) * bounds[l])
        for l, (i, o) in enumerate(zip(sizes[:-1], sizes[1:]))
    ]


def data(sizes, rows, loss):
    """Inputs [rows, inputs], and targets: labels for classes, else numbers of the shape of the outputs."""
    x = (from_0_to_1 if sizes[0] == 784 else from_minus_1_to_1)(1, rows, sizes[0])
    y = labels(2, rows, 2 if loss == "binary" else 10)
    if loss == "binary":
        y = y.astype(np.float32).reshape(-1, 1)
    elif loss != "classes":
        y = np.eye(10, dtype=np.float32)[y]
    return x, y


def loss_kernel(task):
    """Logits, and labels or targets."""
    rows, classes = LOSS_KERNELS[task]
    if classes == 1:
        return from_minus_1_to_1(3, rows) * np.float32(4), labels(4, rows, 2).astype(np.float32)
    return from_minus_1_to_1(3, rows, classes) * np.float32(4), labels(4, rows, classes)


def pin():
    """For a library that takes no number of threads: one thread has one core."""
    if THREADS == 1:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def waited_for_a_core():
    total = 0
    for thread in os.listdir("/proc/self/task"):
        try:
            total += int(open(f"/proc/self/task/{thread}/schedstat").read().split()[1])
        except OSError:
            pass
    return total


def print_once(loss):
    """For a process that trains for one step and ends: the loss and the most memory that it held."""
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
    print(json.dumps(dict(loss=loss, peak_mb=int(peak.split()[1]) / 1024)))


def run(who, task, loss, step, wait=lambda result: None):
    """Measures a step, as in ../src/measure.rs, and prints a line; `wait` returns when a step's result is there."""
    clock = time.perf_counter
    start, steps = clock(), 0
    while clock() - start < min(0.5, SECONDS / 3) or steps < 5:
        wait(step())
        steps += 1
    start = clock()
    for _ in range(3):
        result = step()
    wait(result)
    steps = max(1, int(3 * 0.002 / (clock() - start)))
    every, clean, since = [], [], clock()
    while True:
        waited, start = waited_for_a_core(), clock()
        for _ in range(steps):
            result = step()
        wait(result)
        took = clock() - start
        every.append(took / steps * 1e6)
        if waited_for_a_core() - waited < 0.02 * took * 1e9:
            clean.append(every[-1])
        elapsed = clock() - since
        if len(clean) >= 15 and elapsed > SECONDS or len(every) >= 15 and elapsed > 3 * SECONDS or elapsed > 20 * SECONDS:
            break
    every.sort()
    clean.sort()
    median = clean[len(clean) // 2] if len(clean) >= 5 else every[len(every) // 2]
    line = dict(who=who, task=task, threads=THREADS, us=median, min=every[0], p90=every[len(every) * 9 // 10])
    print(json.dumps(line | dict(blocks=len(every), clean=len(clean), loss5=loss)), flush=True)


def main(by):
    """`WHO [TASK..]`, or `WHO once`; `by(who)` returns what makes the steps of each kind of task, and what waits for a result."""
    who, names = sys.argv[1], sys.argv[2:]
    training, neuron, loss_kernel, inference, wait = by(who)
    if names == ["once"]:
        return print_once(training("T2")().item())
    for task in wanted(names):
        if task.startswith("T7"):
            step = loss_kernel(task)
            loss = step().item()
        elif task.startswith("T8"):
            step = inference(task)
            loss = step().sum().item()
        else:
            step = neuron() if task == "T6" else training(task)
            loss = [step().item() for _ in range(5)][-1]
        kept = getattr(step, "kept", None)  # the parameters are ready later than the loss
        run(who, task, loss, step, wait if kept is None else lambda _: wait(kept))
