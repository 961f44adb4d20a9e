"""The losses that everyone must show, in double precision: writes the table of ../src/expected.rs. Needs NumPy only."""

import numpy as np

import tasks


def softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def softmax_cross_entropy(z, y):
    z = z - z.max(1, keepdims=True)
    total = np.exp(z).sum(1, keepdims=True)
    picked = np.arange(len(y)), y
    gradient = np.exp(z) / total
    gradient[picked] -= 1
    return np.mean(np.log(total)[:, 0] - z[picked]), gradient / len(y)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(layers, x, hidden):
    """The values of each layer, the last without activation."""
    values = [x]
    for l, (w, b) in enumerate(layers):
        z = values[-1] @ w.T + b
        values.append(hidden(z) if l + 1 < len(layers) else z)
    return values


def training(task):
    """The loss at step 5."""
    sizes, rows, kind, (optimizer, rate) = tasks.named(task)
    layers = [[w.astype(float), b.astype(float)] for w, b in tasks.weights(sizes)]
    x, y = tasks.data(sizes, rows, kind)
    relu = kind in ("binary", "classes")
    memory = [[[0.0, 0.0], [0.0, 0.0]] for _ in layers]
    for t in range(1, 6):
        values = forward(layers, x.astype(float), (lambda z: np.maximum(z, 0)) if relu else sigmoid)
        z = values[-1]
        if kind == "classes":
            loss, d = softmax_cross_entropy(z, y)
        elif kind == "squared_error":
            error = sigmoid(z) - y
            loss, d = 0.5 * (error**2).sum() / rows, error * sigmoid(z) * sigmoid(-z) / rows
        else:
            loss, d = (softplus(z) - z * y).sum() / rows, (sigmoid(z) - y) / rows
        for l in reversed(range(len(layers))):
            below, gradients = values[l], (d.T @ values[l], d.sum(0))
            d = (d @ layers[l][0]) * ((below > 0) if relu else below * (1 - below))
            for i, g in enumerate(gradients):
                m, v = memory[l][i]
                if optimizer == "adam":
                    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
                    move = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
                elif optimizer == "momentum":
                    m = 0.9 * m + g
                    move = m
                else:
                    move = g
                memory[l][i] = [m, v]
                layers[l][i] = layers[l][i] - rate * move
    return loss


def neuron():
    w, b = float(np.float32(0.6)), float(np.float32(0.9))
    for _ in range(5):
        a = sigmoid(w + b)
        slope = 2 * a * a * (1 - a)
        w, b = w - 0.15 * slope, b - 0.15 * slope
    return a * a


def loss(task):
    if task in tasks.NETS:
        return training(task)
    if task == "T6":
        return neuron()
    if task in tasks.LOSS_KERNELS:
        z, y = tasks.loss_kernel(task)
        z = z.astype(float)
        return softmax_cross_entropy(z, y)[0] if z.ndim == 2 else np.mean(softplus(z) - z * y)
    sizes, rows, kind, _ = tasks.named("T3")
    x = tasks.data(sizes, rows, kind)[0][: int(task.removeprefix("T8_b"))].astype(float)
    return forward(tasks.weights(sizes), x, lambda z: np.maximum(z, 0))[-1].sum()


if __name__ == "__main__":
    for name in tasks.TASKS:
        print(f'    ("{name}", {float(loss(name))!r}),')
