"""Makes the files of the test of reading in ../it/onnx.rs: python export.py FOLDER. Needs numpy, onnx, onnxscript and torch; skl2onnx and
scikit-learn if they are there.

expected.json has the inputs, and for each NAME.onnx [the name of its inputs, logits or predictions]. Of the exporter with dynamo=True, notes
about the source code are left out.
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import onnx
import torch
from torch import nn

warnings.simplefilter("ignore")
folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
torch.manual_seed(7)
inputs = {"rows": torch.randn(3, 4), "images": torch.randn(3, 2, 6, 6)}
outputs = {}


def numbers(values):
    return [float(f"{v:.9g}") for v in np.asarray(values, dtype=np.float64).ravel()]


def export(name, net, kind, opset, dynamo=False, fixed=False, head=None):
    """The logits are those of the net; the file ends with the head."""
    net.eval()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias)
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                nn.init.uniform_(module.running_mean)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
        x = inputs[kind]
        outputs[name] = [kind, numbers(net(x))]
    whole = nn.Sequential(net, head) if head else net
    path = str(folder / f"{name}.onnx")
    if dynamo:
        torch.onnx.export(
            whole, (x,), path, dynamo=True, opset_version=opset, external_data=False, dynamic_shapes=({0: "n"},), verbose=False
        )
        model = onnx.load(path)
        for part in [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
            part.ClearField("metadata_props")
        onnx.save(model, path)
    else:
        axes = None if fixed else {"x": {0: "N"}}
        torch.onnx.export(
            whole, (x,), path, dynamo=False, opset_version=opset, input_names=["x"], output_names=["y"], dynamic_axes=axes
        )


class Normalized(nn.Module):
    """Scales its input, flattens with view and ends with a scaling."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, stride=2, padding=1)
        self.out = nn.Linear(27, 1)

    def forward(self, x):
        x = (x - torch.tensor([0.5, -1.25]).reshape(1, 2, 1, 1)) / torch.tensor([0.25, 2.0]).reshape(1, 2, 1, 1)
        x = torch.relu(self.conv(x))
        return self.out(x.view(x.size(0), -1)) * 20.0 + 7.5


rows, images = inputs
mlp = lambda *between: nn.Sequential(nn.Linear(4, 8), *between, nn.Linear(8, 8), *between, nn.Linear(8, 3))
export("mlp_13", mlp(nn.ReLU(), nn.Dropout(0.5)), rows, 13)
export("mlp_17_fixed", mlp(nn.Tanh()), rows, 17, fixed=True, head=nn.Softmax(1))
export("mlp_20", mlp(nn.GELU()), rows, 20, head=nn.LogSoftmax(-1))
export("linear_17", nn.Sequential(nn.Linear(4, 8, bias=False), nn.Linear(8, 3, bias=False)), rows, 17)
export("two_classes_17", nn.Sequential(nn.Linear(4, 8), nn.ELU(), nn.Linear(8, 1)), rows, 17, head=nn.Sigmoid())
activations = lambda: nn.Sequential(
    nn.Linear(4, 5, bias=False), nn.GELU(), nn.SiLU(), nn.Mish(), nn.LogSigmoid(), nn.GELU(approximate="tanh"), nn.Softplus(),
    nn.ELU(), nn.LeakyReLU(), nn.Sigmoid(), nn.Tanh(), nn.BatchNorm1d(5), nn.Linear(5, 2),
)  # fmt: skip
parts = lambda: nn.Sequential(
    nn.Conv2d(2, 4, (3, 2), padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.GroupNorm(2, 4), nn.SiLU(),
    nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2, output_padding=1), nn.AvgPool2d((3, 2), stride=1, padding=1),
    nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=(1, 2), mode="bilinear"), nn.Conv2d(6, 4, 3, stride=2, dilation=2, groups=2),
    nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 3),
)  # fmt: skip
for name, net, x in [("activations", activations, rows), ("parts", parts, images)]:
    for opset in [13, 17]:
        export(f"{name}_{opset}", net(), x, opset)
    for opset in [18, 21]:
        export(f"{name}_{opset}_dynamo", net(), x, opset, dynamo=True)
cnn = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 6), nn.ReLU(), nn.Linear(6, 3))
export("cnn_21_dynamo", cnn, images, 21, dynamo=True, head=nn.Softmax(1))
export("cnn_14_fixed", cnn, images, 14, fixed=True)
export("normalized_17", Normalized(), images, 17)
export("normalized_18_dynamo", Normalized(), images, 18, dynamo=True)
pixels = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1))
export("pixels_17", pixels, images, 17, head=nn.Softmax(1))

try:
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
except ImportError:
    print("without skl2onnx")
else:
    x = (3 * np.random.RandomState(7).randn(40, 4) + 5).astype(np.float32)
    inputs["table"] = x[:3]
    kind = (x[:, 0] > 5).astype(int) + (x[:, 1] > 5)
    settings = dict(hidden_layer_sizes=(5,), max_iter=20, random_state=7)

    def convert(name, net, targets, logits, **options):
        net.fit(x, targets)
        model = to_onnx(net, x[:1], target_opset=17, **options)
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
        outputs[name] = ["table", numbers(logits(net, x[:3]))]

    def log_odds(net, rows):
        p = net.predict_proba(rows)
        return np.log(p[:, 1] / p[:, 0])

    def log_probabilities(net, rows):  # logits but for a number that is common to a row
        return net.predict_log_proba(rows)

    plain = {"options": {"zipmap": False}}
    classifier = MLPClassifier(activation="tanh", **settings)
    names = np.array(["cat", "dog", "rabbit"])
    convert("sklearn_classes", make_pipeline(StandardScaler(), classifier), names[kind], log_probabilities, **plain)
    convert("sklearn_two", MLPClassifier(activation="relu", **settings), kind > 0, log_odds, **plain)
    regressor = MLPRegressor(activation="logistic", **settings)
    convert("sklearn_number", regressor, x[:, 0], lambda net, rows: net.predict(rows))

expected = {"inputs": {name: numbers(values) for name, values in inputs.items()}, "outputs": outputs}
(folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")).replace("],", "],\n") + "\n")
