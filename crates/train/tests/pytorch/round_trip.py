"""The other half of the test in ../pytorch.rs: python round_trip.py FOLDER. Needs numpy and torch; safetensors if it is there."""

import json
import pathlib
import sys
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

try:
    from safetensors.torch import load_file, save_file
except ImportError:  # the format is a length, a header in JSON and the numbers
    TYPES = {"F32": torch.float32, "F64": torch.float64, "BF16": torch.bfloat16, "I64": torch.int64}

    def load_file(path):
        content = path.read_bytes()
        start = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:start])
        assert header.pop("__metadata__") == {"format": "pt"}
        return {
            name: torch.frombuffer(
                bytearray(content[start + info["data_offsets"][0] : start + info["data_offsets"][1]]),
                dtype=TYPES[info["dtype"]],
            ).reshape(info["shape"])
            for name, info in header.items()
        }

    def save_file(tensors, path, metadata):
        header, data = {"__metadata__": metadata}, b""
        for name, tensor in sorted(tensors.items()):
            content = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
            dtype = next(key for key, value in TYPES.items() if value == tensor.dtype)
            offsets = [len(data), len(data) + len(content)]
            header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": offsets}
            data += content
        header = json.dumps(header).encode()
        path.write_bytes(len(header).to_bytes(8, "little") + header + data)


folder = pathlib.Path(sys.argv[1])
given = np.load(folder / "given.npz")
x = torch.tensor(given["dense_x"])


def save_arrays(path, state):
    np.savez(path, **{key: tensor.numpy() for key, tensor in state.items()})


def load_arrays(path):
    return {name: torch.tensor(array) for name, array in np.load(path).items()}


def mlp(*between):
    """4-8-8-3, the middle layer as wide as it is high: only its numbers tell a transpose"""
    return nn.Sequential(nn.Linear(4, 8), *between, nn.Linear(8, 8), *between, nn.Linear(8, 3))


def convolutional():
    """every kind of layer of images"""
    return nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2),
        nn.GroupNorm(3, 6),
        nn.AvgPool2d((3, 2), stride=1, padding=1),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(6 * 12 * 14, 3),
    )


def save_tensors(path, state):
    save_file(state, path, metadata={"format": "pt"})


# from there to here, and back without a change
for name, model in [("dense", mlp(nn.Tanh())), ("convolutional", convolutional())]:
    inputs, logits = (torch.tensor(given[f"{name}_{what}"]) for what in ["x", "logits"])
    inputs = inputs.reshape(-1, 2, 6, 6) if name == "convolutional" else inputs
    for ending, load, save in [("safetensors", load_file, save_tensors), ("npz", load_arrays, save_arrays)]:
        for tensor in model.state_dict().values():
            tensor.zero_()
        model.load_state_dict(load(folder / f"{name}.{ending}"), strict=True)  # every name and shape
        gap = (model.eval()(inputs) - logits).abs().max().item()
        assert gap <= 1e-6, f"{name}.{ending}: logits differ by {gap}"
        save(folder / f"{name}_back.{ending}", model.state_dict())


# nets of PyTorch
def save(name, model, inputs, logits):
    state = model.state_dict()
    save_tensors(folder / f"{name}.safetensors", state)
    if all(tensor.dtype != torch.bfloat16 for tensor in state.values()):
        save_arrays(folder / f"{name}.npz", state)
    logits[name] = model.float()(inputs).detach().numpy()


torch.manual_seed(7)
logits = {}
save("plain", mlp(nn.Tanh()), x, logits)
save("dropout", mlp(nn.Tanh(), nn.Dropout(0.5)).eval(), x, logits)
save("bfloat16", mlp(nn.Tanh()).bfloat16(), x, logits)
layers = [
    ("in", nn.BatchNorm1d(4)),
    ("hidden", nn.Linear(4, 4)),
    ("relu", nn.ReLU()),
    ("norm", nn.LayerNorm(4)),
    ("out", nn.Linear(4, 3)),
]
named = nn.Sequential(OrderedDict(layers))
named(3 * x + 1)  # in training: the running means move
nn.init.uniform_(named.norm.weight)
nn.init.uniform_(named.get_submodule("in").bias)
save("named", named.eval(), x, logits)
images = convolutional()
pixels = torch.randn(3, 2, 6, 6)
images(3 * pixels + 1)
nn.init.uniform_(images[5].weight)
save("images", images.eval(), pixels, logits)
logits["pixels"] = pixels.reshape(3, 72).numpy()
words = nn.Embedding(5, 3)
np.savez(folder / "words.npz", **{"word.weight": words.weight.detach().numpy()})
logits["words"] = words(torch.tensor([4, 0, 4])).detach().numpy()
np.savez(folder / "expected.npz", **logits)
