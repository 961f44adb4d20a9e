"""Single operations in PyTorch and JAX: `python ops.py WHO [OPERATION..]`; WHO is torch (eager), torch_compile or jax (jitted).

As in ../benches/ops.rs: the value of an operation on x, `[rows, columns]`, and the gradients of all its inputs from a given gradient of the
value. JAX does it both with new memory for its results and with that of the step before, which it is given up; the faster counts.
"""

import os
import sys
import time

import numpy as np

import tasks

NAMES = ["log_softmax", "softmax", "layer_norm", "batch_norm", "gather", "where", "embedding"]
OPERATIONS = {f"OP{name}_{r}x{c}": (name, r, c) for r, c in [(128, 32000), (4096, 64)] for name in NAMES}


def data(name, rows, columns):
    """The inputs that have gradients; the others; the gradient of the value."""
    number = lambda seed, *shape: tasks.from_minus_1_to_1(seed, *shape)
    x, dy = number(5, rows, columns) * np.float32(4), number(6, rows, columns)
    places = lambda below, *shape: tasks.labels(9, int(np.prod(shape)), below).reshape(shape)
    if name in ("layer_norm", "batch_norm"):
        running = [np.zeros(columns, np.float32), np.ones(columns, np.float32)] if name == "batch_norm" else []
        return [x, number(7, columns), number(8, columns)], running, dy
    if name == "gather":
        return [x], [places(columns, rows, columns)], dy
    if name == "where":
        return [x, number(10, rows, columns) * np.float32(4)], [places(2, rows, columns) == 1], dy
    return [x], [places(rows, rows)] if name == "embedding" else [], dy


def sizes(results):
    return sum(float(np.abs(np.asarray(x, np.float64)).mean()) for x in results)


def by_torch(who, name, rows, columns):
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(tasks.THREADS)
    inputs, others, dy = data(name, rows, columns)
    inputs = [torch.from_numpy(x).requires_grad_() for x in inputs]
    others, dy = [torch.from_numpy(x) for x in others], torch.from_numpy(dy)
    f = {
        "log_softmax": lambda x: F.log_softmax(x, 1),
        "softmax": lambda x: F.softmax(x, 1),
        "layer_norm": lambda x, w, b: F.layer_norm(x, (columns,), w, b),
        "batch_norm": lambda x, w, b, m, v: F.batch_norm(x, m, v, w, b, training=True),
        "gather": lambda x, i: x.gather(1, i),
        "where": lambda a, b, c: torch.where(c, a, b),
        "embedding": lambda x, i: F.embedding(i, x),
    }[name]
    f = torch.compile(f) if who == "torch_compile" else f

    def step():
        y = f(*inputs, *others)
        return y, *torch.autograd.grad(y, inputs, dy)

    return step, lambda results: [x.detach().numpy() for x in results], lambda results: None


def by_jax(_, name, rows, columns):
    if tasks.THREADS == 1:  # XLA takes every core it may
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jax.numpy as jnp

    inputs, others, dy = jax.tree_util.tree_map(jnp.asarray, data(name, rows, columns))

    def normal(x, w, b, axis):
        mean, var = x.mean(axis, keepdims=True), x.var(axis, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(var + 1e-5) * w + b, mean[0], var[0]

    def batch_norm(x, w, b, m, v):
        y, mean, var = normal(x, w, b, 0)
        return y, (0.9 * m + 0.1 * mean, 0.9 * v + 0.1 * var * (rows / (rows - 1)))

    f = {
        "log_softmax": lambda x: (jax.nn.log_softmax(x, 1), ()),
        "softmax": lambda x: (jax.nn.softmax(x, 1), ()),
        "layer_norm": lambda x, w, b: (normal(x, w, b, 1)[0], ()),
        "batch_norm": batch_norm,
        "gather": lambda x, i: (jnp.take_along_axis(x, i, 1, mode="promise_in_bounds"), ()),
        "where": lambda a, b, c: (jnp.where(c, a, b), ()),
        "embedding": lambda x, i: (x.at[i].get(mode="promise_in_bounds"), ()),
    }[name]

    def work(inputs, others, dy):
        y, back, moved = jax.vjp(lambda *inputs: f(*inputs, *others), *inputs, has_aux=True)
        return [y, *back(dy)], moved

    new = jax.jit(work)
    again = jax.jit(lambda inputs, others, dy, _: work(inputs, others, dy), donate_argnums=3, keep_unused=True)
    kept = [new(inputs, others, dy)]

    def in_new():
        return new(inputs, others, dy)

    def in_kept():
        kept[0] = again(inputs, others, dy, kept[0])
        return kept[0]

    def seconds(step):
        jax.block_until_ready([step() for _ in range(3)][-1])
        start = time.perf_counter()
        for _ in range(10):
            jax.block_until_ready(step())
        return time.perf_counter() - start

    step = min(in_new, in_kept, key=seconds)
    return step, lambda results: results[0], jax.block_until_ready


def main():
    who, names = sys.argv[1], sys.argv[2:]
    for operation, sizes_of in OPERATIONS.items():
        if not names or operation.startswith(tuple(names)):
            step, results, wait = (by_jax if who == "jax" else by_torch)(who, *sizes_of)
            tasks.run(who, operation, sizes(results(step())), step, wait)


if __name__ == "__main__":
    main()
