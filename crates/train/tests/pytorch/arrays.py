"""The other half of a test in ../it/pytorch.rs: python arrays.py FOLDER. Needs numpy and safetensors, not PyTorch."""

import pathlib
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

folder = pathlib.Path(sys.argv[1])
given = np.load(folder / "given.npz")
for layout, names, transposed in [
    ("pytorch", ["0", "2", "4"], True),
    ("surprisal", ["layer1", "layer2", "layer3"], False),
]:
    for wide in ["", "_wide"]:
        path = folder / f"{layout}{wide}.safetensors"
        with safe_open(path, framework="np") as file:
            metadata = file.metadata()
        assert metadata == {"format": "pt" if layout == "pytorch" else "surprisal"}, metadata
        arrays = load_file(path)
        assert all(array.dtype == (np.float64 if wide else np.float32) for array in arrays.values())
        assert set(arrays) == {f"{name}.{part}" for name in names for part in ["weight", "bias"]}, list(arrays)
        save_file(arrays, folder / f"{layout}{wide}_back.safetensors", metadata=metadata)
        if wide:
            continue
        y = given["x"]
        for k, name in enumerate(names):
            weight = arrays[f"{name}.weight"]
            y = y @ (weight.T if transposed else weight) + arrays[f"{name}.bias"]
            y = np.tanh(y) if k < 2 else y
        gap = np.abs(y - given["logits"]).max()
        assert gap <= 1e-6, f"{layout}: logits differ by {gap}"
