"""Writes values.json: what PyTorch's layers compute in float64, with gradients, and the moments of its starts.

    python3 make_values.py      (pip install torch==2.15.0)

A case is {"inputs", "parameters", "grad_output", "output", "grads"}, where grads are those of sum(grad_output * output).
PyTorch's Linear keeps its weight as [outputs, inputs]; here it stands as [inputs, outputs], as it is multiplied.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


def leaf(*shape):
    return torch.randn(*shape).requires_grad_()


def case(function, x, parameters):
    """Runs forward and backward; `function` takes x."""
    y = function(x)
    grad_output = torch.randn_like(y)
    y.backward(grad_output)
    grads = {name: p.grad.tolist() for name, p in parameters.items()}
    if x.requires_grad:
        grads["x"] = x.grad.tolist()
    return {
        "inputs": x.tolist(),
        "parameters": {name: p.tolist() for name, p in parameters.items()},
        "grad_output": grad_output.tolist(),
        "output": y.tolist(),
        "grads": grads,
    }


def linear():
    w, b = leaf(5, 3), leaf(3)
    return case(lambda x: F.linear(x, w.T, b), leaf(4, 5), {"weight": w, "bias": b})


def activations():
    functions = {
        "relu": F.relu,
        "leaky_relu": F.leaky_relu,
        "elu": F.elu,
        "silu": F.silu,
        "mish": F.mish,
        "gelu": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "sigmoid": F.sigmoid,
        "tanh": F.tanh,
        # from the threshold on (20, if none is given) PyTorch returns x and leaves up to 2e-9 out
        "softplus": lambda x: F.softplus(x, threshold=100.0),
        "logsigmoid": F.logsigmoid,
        "softmax": lambda x: F.softmax(x, -1),
        "log_softmax": lambda x: F.log_softmax(x, -1),
    }
    sizes = torch.tensor([1e-9, 1e-4, 0.02, 0.3, 0.9, 1.7, 3.0, 5.5, 8.0, 13.0, 21.0, 34.0])
    x = torch.stack([sizes, -sizes, torch.randn(12), 4 * torch.randn(12)])
    return {name: case(f, x.clone().requires_grad_(), {}) for name, f in functions.items()}


def layer_norm(*shape):
    x = (3 * torch.randn(*shape) + 2).requires_grad_()
    w, b = leaf(shape[-1]), leaf(shape[-1])
    return case(lambda x: F.layer_norm(x, shape[-1:], w, b), x, {"weight": w, "bias": b})


def rms_norm(*shape):
    x = (3 * torch.randn(*shape) + 2).requires_grad_()
    w = leaf(shape[-1])
    return case(lambda x: F.rms_norm(x, shape[-1:], w, 1e-5), x, {"weight": w})


def batch_norm():
    """Two steps of training, then an evaluation, each with the running statistics after it."""
    layer = nn.BatchNorm1d(4)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(4))
        layer.bias.copy_(torch.randn(4))
    steps = []
    for training in [True, True, False]:
        layer.train(training)
        layer.zero_grad()
        x = (torch.randn(5, 4) * torch.tensor([1.0, 10.0, 0.1, 2.0]) + torch.tensor([0.0, 50.0, -3.0, 1.0])).requires_grad_()
        step = case(layer, x, {"weight": layer.weight, "bias": layer.bias})
        step["training"] = training
        step["running_mean"] = layer.running_mean.tolist()
        step["running_var"] = layer.running_var.tolist()
        steps.append(step)
    return steps


def embedding():
    w = leaf(6, 3)
    indices = torch.tensor([[4, 0, 5], [4, 4, 1]])
    return case(lambda i: F.embedding(i, w), indices, {"weight": w})


def moments(draw, count=100):
    """The mean square of all numbers of `count` draws, and the largest of them."""
    drawn = torch.stack([draw() for _ in range(count)])
    return {"mean_square": drawn.square().mean().item(), "largest": drawn.abs().max().item()}


def starts():
    def of(start, **options):
        return moments(lambda: start(torch.empty(100, 200), **options))

    relu = {"nonlinearity": "relu"}
    return {
        "zeros": of(nn.init.zeros_),
        "uniform:0.3": of(nn.init.uniform_, a=-0.3, b=0.3),
        "normal": of(nn.init.normal_),
        "normal:0.3": of(nn.init.normal_, std=0.3),
        "xavier_uniform": of(nn.init.xavier_uniform_),
        "xavier_normal": of(nn.init.xavier_normal_),
        "kaiming_uniform": of(nn.init.kaiming_uniform_, **relu),
        "kaiming_normal": of(nn.init.kaiming_normal_, **relu),
        "orthogonal": of(nn.init.orthogonal_),
        "orthogonal:1.5": of(nn.init.orthogonal_, gain=1.5),
        "linear": moments(lambda: nn.Linear(200, 100).weight.detach()),
        "linear, bias": moments(lambda: nn.Linear(200, 100).bias.detach()),
        "embedding": moments(lambda: nn.Embedding(200, 100).weight.detach()),
    }


values = {
    "torch": torch.__version__.split("+")[0],
    "linear": linear(),
    "activations": activations(),
    "layer_norm": [layer_norm(3, 8), layer_norm(2, 3, 4)],
    "rms_norm": [rms_norm(3, 8), rms_norm(2, 3, 4)],
    "batch_norm": batch_norm(),
    "embedding": embedding(),
    "starts": starts(),
}


def lines(value, name, depth):
    """One line for each list of numbers: short enough to read, and to compare."""
    head = " " * depth + (json.dumps(name) + ": " if name is not None else "")
    if isinstance(value, dict) and value:
        return head + "{\n" + ",\n".join(lines(v, k, depth + 1) for k, v in value.items()) + "\n" + " " * depth + "}"
    if isinstance(value, list) and isinstance(value[0], dict):
        return head + "[\n" + ",\n".join(lines(v, None, depth + 1) for v in value) + "\n" + " " * depth + "]"
    return head + json.dumps(value, allow_nan=False)


path = pathlib.Path(__file__).with_name("values.json")
path.write_text(lines(values, None, 0) + "\n")
