"""The tasks in MLX and tinygrad on the CPU: `python mlx_tinygrad.py WHO [TASK..]`, or `once` as the task for a single step of T2.

A step of MLX is compiled with its optimizer and evaluated each time; one of tinygrad is a TinyJit, whose kernels clang compiles, chosen by its
heuristics (BEAM=0).
"""

import os
import sys
from functools import partial

import tasks


def by_mlx(_):
    import mlx.core as mx
    from mlx import nn, optimizers

    tasks.pin()  # BLAS has one thread, and each stream another
    mx.set_default_device(mx.cpu)
    rates = {
        "sgd": optimizers.SGD,
        "momentum": partial(optimizers.SGD, momentum=0.9),
        "adam": partial(optimizers.Adam, bias_correction=True),
    }

    def model(sizes, kind):
        layers = []
        for w, b in tasks.weights(sizes):
            linear = nn.Linear(w.shape[1], w.shape[0])
            linear.weight, linear.bias = mx.array(w), mx.array(b)
            layers += [linear, nn.ReLU() if kind in ("binary", "classes") else nn.Sigmoid()]
        return nn.Sequential(*(layers if kind == "squared_error" else layers[:-1]))

    def binary(z, y, reduction="mean"):
        return nn.losses.binary_cross_entropy(z, y, reduction=reduction)  # takes logits

    def classes(z, y):
        return nn.losses.cross_entropy(z, y, reduction="mean")

    def stepper(model, loss, x, y, optimizer):
        gradient, state = nn.value_and_grad(model, loss), [model.state, optimizer.state]
        optimizer.init(model.trainable_parameters())

        @partial(mx.compile, inputs=state, outputs=state)
        def step(x, y):
            value, gradients = gradient(x, y)
            optimizer.update(model, gradients)
            return value

        def run():
            value = step(x, y)
            mx.eval(value, state)
            return value

        return run

    def training(task):
        sizes, rows, kind, (optimizer, rate) = tasks.named(task)
        net = model(sizes, kind)
        x, y = map(mx.array, tasks.data(sizes, rows, kind))
        loss = {
            "binary": lambda x, y: binary(net(x), y),
            "classes": lambda x, y: classes(net(x), y),
            "squared_error": lambda x, y: 0.5 * nn.losses.mse_loss(net(x), y, reduction="sum") / rows,
            "each_output": lambda x, y: binary(net(x), y, "sum") / rows,
        }[kind]
        return stepper(net, loss, x, y, rates[optimizer](learning_rate=rate))

    def neuron():
        class Neuron(nn.Module):
            def __init__(self):
                super().__init__()
                self.w, self.b = mx.array(0.6), mx.array(0.9)

            def __call__(self, x):
                return mx.sigmoid(self.w * x + self.b)

        net = Neuron()
        loss = lambda x, y: (net(x) - y).square()
        return stepper(net, loss, mx.array(1.0), mx.array(0.0), optimizers.SGD(learning_rate=0.15))

    def loss_kernel(task):
        z, y = map(mx.array, tasks.loss_kernel(task))
        kernel = mx.compile(mx.value_and_grad(binary if z.ndim == 1 else classes))

        def step():
            both = kernel(z, y)
            mx.eval(both)
            return both[0]

        return step

    def inference(task):
        sizes, rows, kind, _ = tasks.named("T3")
        net = model(sizes, kind)
        forward = mx.compile(lambda x: net(x))
        x = mx.array(tasks.data(sizes, rows, kind)[0][: int(task.removeprefix("T8_b"))])

        def step():
            out = forward(x)
            mx.eval(out)
            return out

        return step

    return training, neuron, loss_kernel, inference, lambda result: None


def by_tinygrad(_):
    tasks.pin()  # kernels run in a thread of their own
    os.environ |= {"BEAM": "0", "NUM_CPU_THREADS": str(tasks.THREADS)}
    os.environ.setdefault("DEV", "CPU:CLANG")
    from tinygrad import Device, Tensor, TinyJit, nn
    from tinygrad.helpers import Context

    Context(TRAINING=1).__enter__()
    optimizers = {
        "sgd": nn.optim.SGD,
        "momentum": partial(nn.optim.SGD, momentum=0.9),
        "adam": nn.optim.Adam,
    }

    def array(numbers):
        return Tensor(numbers.astype("int32") if numbers.dtype == "int64" else numbers).realize()

    def parameter(numbers):
        return Tensor(numbers).is_param_().realize()

    def forward(layers, x, kind):
        for l, (w, b) in enumerate(layers):
            x = x.linear(w.T, b)
            if l + 1 < len(layers) or kind == "squared_error":
                x = x.relu() if kind in ("binary", "classes") else x.sigmoid()
        return x

    losses = {
        "binary": lambda z, y: z.binary_crossentropy_logits(y),
        "classes": lambda z, y: z.sparse_categorical_crossentropy(y),
        "squared_error": lambda a, y: 0.5 * (a - y).square().sum() / len(y),
        "each_output": lambda z, y: z.binary_crossentropy_logits(y, reduction="sum") / len(y),
    }

    def stepper(loss, parameters, optimizer, rate):
        optimizer = optimizers[optimizer](parameters, lr=rate)

        @TinyJit
        def step():
            optimizer.zero_grad()
            value = loss().backward()
            return value.realize(*optimizer.schedule_step())

        return step

    def training(task):
        sizes, rows, kind, (optimizer, rate) = tasks.named(task)
        x, y = map(array, tasks.data(sizes, rows, kind))
        layers = [(parameter(w), parameter(b)) for w, b in tasks.weights(sizes)]
        loss = lambda: losses[kind](forward(layers, x, kind), y)
        return stepper(loss, [p for layer in layers for p in layer], optimizer, rate)

    def neuron():
        w, b = (Tensor(p).is_param_().realize() for p in ([0.6], [0.9]))
        x, y = Tensor([1.0]).realize(), Tensor([0.0]).realize()
        return stepper(lambda: ((w * x + b).sigmoid() - y).square().sum(), [w, b], "sgd", 0.15)

    def loss_kernel(task):
        z, y = tasks.loss_kernel(task)
        z, y, loss = parameter(z), array(y), losses["binary" if z.ndim == 1 else "classes"]

        @TinyJit
        def step():
            z.grad = None
            value = loss(z, y).backward()
            return value.realize(z.grad)

        return step

    def inference(task):
        sizes, rows, kind, _ = tasks.named("T3")
        layers = [(array(w), array(b)) for w, b in tasks.weights(sizes)]
        x = array(tasks.data(sizes, rows, kind)[0][: int(task.removeprefix("T8_b"))])
        return TinyJit(lambda: forward(layers, x, kind).realize())

    return training, neuron, loss_kernel, inference, lambda result: Device[Device.DEFAULT].synchronize()


if __name__ == "__main__":
    tasks.main(by_mlx if sys.argv[1] == "mlx" else by_tinygrad)
