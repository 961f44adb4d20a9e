"""The tasks in PyTorch and JAX: `python torch_jax.py WHO [TASK..]`, or `once` as the task for a single step of T2.

WHO is torch (eager), torch_fused (eager, with fused optimizers), torch_compile or jax (jitted). T6's one neuron and T8's
inference are written as a user of each would write them.
"""

import os
import sys
import warnings

import tasks


def by_torch(who):
    import torch
    from torch import nn
    from torch.nn import functional as F

    warnings.filterwarnings("ignore", "Converting a tensor with requires_grad")  # of a loss to a float
    torch.set_num_threads(tasks.THREADS)
    fused = {"fused": True} if who == "torch_fused" else {}
    compiled = torch.compile if who == "torch_compile" else lambda f: f
    if who == "torch_compile":
        torch._dynamo.config.cache_size_limit = 64  # each task has code of its own
    optimizers = {
        "sgd": lambda p, rate: torch.optim.SGD(p, lr=rate, **fused),
        "momentum": lambda p, rate: torch.optim.SGD(p, lr=rate, momentum=0.9, **fused),
        "adam": lambda p, rate: torch.optim.Adam(p, lr=rate, **fused),
    }

    def model(sizes, kind):
        layers = []
        for w, b in tasks.weights(sizes):
            linear = nn.Linear(w.shape[1], w.shape[0])
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w))
                linear.bias.copy_(torch.from_numpy(b))
            layers += [linear, nn.ReLU() if kind in ("binary", "classes") else nn.Sigmoid()]
        return nn.Sequential(*(layers if kind == "squared_error" else layers[:-1]))

    def training(task):
        sizes, rows, kind, (optimizer, rate) = tasks.named(task)
        net = model(sizes, kind)
        x, y = map(torch.from_numpy, tasks.data(sizes, rows, kind))
        loss = {
            "binary": lambda out: F.binary_cross_entropy_with_logits(out, y),
            "classes": lambda out: F.cross_entropy(out, y),
            "squared_error": lambda out: 0.5 * F.mse_loss(out, y, reduction="sum") / rows,
            "each_output": lambda out: F.binary_cross_entropy_with_logits(out, y, reduction="sum") / rows,
        }[kind]
        return stepper(lambda: loss(net(x)), optimizers[optimizer](net.parameters(), rate))

    def neuron():
        w, b = torch.tensor(0.6, requires_grad=True), torch.tensor(0.9, requires_grad=True)
        x, y = torch.tensor(1.0), torch.tensor(0.0)
        return stepper(lambda: (torch.sigmoid(w * x + b) - y) ** 2, optimizers["sgd"]([w, b], 0.15))

    def stepper(forward, optimizer):
        forward, update = compiled(forward), compiled(lambda: optimizer.step())

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = forward()
            loss.backward()
            update()
            return loss

        return step

    def loss_kernel(task):
        z, y = map(torch.from_numpy, tasks.loss_kernel(task))
        z.requires_grad_()
        loss = F.binary_cross_entropy_with_logits if z.ndim == 1 else F.cross_entropy
        forward = compiled(lambda: loss(z, y))

        def step():
            z.grad = None
            value = forward()
            value.backward()
            return value

        return step

    def inference(task):
        sizes, rows, kind, _ = tasks.named("T3")
        net = compiled(model(sizes, kind))
        x = torch.from_numpy(tasks.data(sizes, rows, kind)[0][: int(task.removeprefix("T8_b"))])
        torch.inference_mode().__enter__()  # left on, and out of the measured time: nothing that trains comes after T8
        return lambda: net(x)

    return training, neuron, loss_kernel, inference, lambda result: None


def by_jax(_):
    tasks.pin()  # XLA takes every core it may
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jax.numpy as jnp

    tree = jax.tree_util.tree_map

    def forward(layers, x, kind):
        activation = jax.nn.relu if kind in ("binary", "classes") else jax.nn.sigmoid
        for l, (w, b) in enumerate(layers):
            x = x @ w + b
            if l + 1 < len(layers) or kind == "squared_error":
                x = activation(x)
        return x

    def binary(z, y):
        return jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))

    def classes(z, y):
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1).mean()

    losses = {
        "binary": lambda z, y: binary(z, y).mean(),
        "classes": classes,
        "squared_error": lambda a, y: 0.5 * ((a - y) ** 2).sum() / len(y),
        "each_output": lambda z, y: binary(z, y).sum() / len(y),
    }

    def sgd(p, g, state, rate):
        return tree(lambda p, g: p - rate * g, p, g), state

    def momentum(p, g, v, rate):
        v = tree(lambda v, g: 0.9 * v + g, v, g)
        return tree(lambda p, v: p - rate * v, p, v), v

    def adam(p, g, state, rate):
        m, v, t = state
        t = t + 1
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        root = lambda v: jnp.sqrt(v / (1 - 0.999**t)) + 1e-8
        return tree(lambda p, m, v: p - rate * (m / (1 - 0.9**t)) / root(v), p, m, v), (m, v, t)

    def first_layers(sizes):
        return [(jnp.asarray(w.T.copy()), jnp.asarray(b)) for w, b in tasks.weights(sizes)]

    def stepper(loss, p, x, y, update, state, rate):
        """Parameters and state are given up to each step, which may write the new ones in their place."""

        def step(p, state, x, y):
            value, g = jax.value_and_grad(loss)(p, x, y)
            return update(p, g, state, rate), value

        step, kept = jax.jit(step, donate_argnums=(0, 1)), [p, state]

        def run():
            kept[:], value = step(*kept, x, y)
            return value

        run.kept = kept
        return run

    def training(task):
        sizes, rows, kind, (name, rate) = tasks.named(task)
        x, y = map(jnp.asarray, tasks.data(sizes, rows, kind))
        p = first_layers(sizes)
        zeros = lambda: tree(jnp.zeros_like, p)
        update, state = {
            "sgd": lambda: (sgd, ()),
            "momentum": lambda: (momentum, zeros()),
            "adam": lambda: (adam, (zeros(), zeros(), jnp.float32(0))),
        }[name]()
        return stepper(lambda p, x, y: losses[kind](forward(p, x, kind), y), p, x, y, update, state, rate)

    def neuron():
        loss = lambda p, x, y: (jax.nn.sigmoid(p[0] * x + p[1]) - y) ** 2
        start = (jnp.float32(0.6), jnp.float32(0.9))
        return stepper(loss, start, jnp.float32(1), jnp.float32(0), sgd, (), 0.15)

    def loss_kernel(task):
        z, y = map(jnp.asarray, tasks.loss_kernel(task))
        kernel = jax.jit(jax.value_and_grad(losses["binary"] if z.ndim == 1 else classes))

        def step():
            value, gradient = kernel(z, y)
            gradient.block_until_ready()
            return value

        return step

    def inference(task):
        sizes, rows, kind, _ = tasks.named("T3")
        p, net = first_layers(sizes), jax.jit(lambda p, x: forward(p, x, kind))
        x = jnp.asarray(tasks.data(sizes, rows, kind)[0][: int(task.removeprefix("T8_b"))])
        return lambda: net(p, x).block_until_ready()

    return training, neuron, loss_kernel, inference, jax.block_until_ready


if __name__ == "__main__":
    tasks.main(by_jax if sys.argv[1] == "jax" else by_torch)
