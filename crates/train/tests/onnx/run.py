"""The other half of the test in ../it/onnx.rs: python run.py FOLDER. Needs numpy, onnx and onnxruntime.

For each NAME.onnx there is a NAME.json: {"inputs": {name: rows}, "outputs": {name: rows}, "classes": names or null}.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(string)": object}

onnxruntime.set_default_logger_severity(3)
paths = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
worst = 0.0
for path in paths:
    onnx.checker.check_model(str(path), full_check=True)
    expected = json.loads(path.with_suffix(".json").read_text())
    net = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert {x.name for x in net.get_inputs()} == set(expected["inputs"]), (path.name, [x.name for x in net.get_inputs()])
    assert all(x.shape[0] == "N" for x in net.get_inputs() + net.get_outputs()), path.name
    feed = {
        x.name: np.array(expected["inputs"][x.name], dtype=TYPES[x.type]).reshape([-1] + x.shape[1:])
        for x in net.get_inputs()
    }
    properties = net.get_modelmeta().custom_metadata_map
    assert json.loads(properties.get("classes", "null")) == expected["classes"], path.name
    found = net.run(None, feed)
    alone = net.run(None, {name: rows[:1] for name, rows in feed.items()})  # another N
    assert {x.name for x in net.get_outputs()} == set(expected["outputs"]), (path.name, [x.name for x in net.get_outputs()])
    for output, values, first in zip(net.get_outputs(), found, alone):
        wanted = np.array(expected["outputs"][output.name]).reshape(values.shape)
        assert list(values.shape[1:]) == output.shape[1:], (path.name, output.name, values.shape, output.shape)
        if values.dtype == np.int64:
            assert (values == wanted).all(), (path.name, output.name)
            continue
        size = max(1.0, np.abs(wanted).max())
        gap = np.abs(values - wanted).max() / size
        print(f"{path.stem:40} {output.name:14} {gap:.1e} of {size:.3g}")
        assert gap <= 1e-6, (path.name, output.name, gap)
        assert np.abs(first - values[:1]).max() / size <= 1e-6, (path.name, output.name, "one row")
        worst = max(worst, gap)
print(f"{len(paths)} files, worst difference {worst:.1e}")
