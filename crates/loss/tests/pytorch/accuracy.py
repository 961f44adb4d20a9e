"""PyTorch's losses on our test vectors: how far off, in float32 and float64, and how often a false 0, infinity or NaN.

    python -m venv venv && venv/bin/pip install torch==2.9.1 numpy
    venv/bin/python crates/loss/tests/pytorch/accuracy.py

writes accuracy.json beside itself, which `cargo test -p surprisal-loss --test it accuracy` puts beside our own numbers in
docs/accuracy.md. What counts is what counts for ours: `Precision` in crates/loss/src/vectors/judge.rs.
"""

import json
import math
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
LOSSES = {}  # name -> (what is called, whether it is one call of PyTorch, function of inputs and options)


def own(call):
    """PyTorch has this loss."""
    return lambda f: LOSSES.setdefault(f.__name__, (call, True, f))


def composed(call):
    """PyTorch does not have it; this is how it is usually written, in its best-behaved form where there are several."""
    return lambda f: LOSSES.setdefault(f.__name__, (call, False, f))


def reduced(each, o):
    return {"mean": torch.mean, "sum": torch.sum, "none": lambda x: x}[reduction(o)](each)


def reduction(o):
    return o.get("reduction", "mean")


def classes(i, name="targets"):
    """Class labels; a single one where there is a single row."""
    labels = i[name].long()
    return labels.reshape(()) if i.get("logits", i.get("log_probs", i.get("input"))).ndim == 1 else labels


def nats_or_bits(x, o):
    return x / math.log(2) if o.get("base", "e") == 2 else x


# losses that PyTorch has


@own("F.cross_entropy")
def softmax_cross_entropy(i, o):
    target = i["target_probs"] if "target_probs" in i else classes(i)
    return F.cross_entropy(i["logits"], target, i.get("weight"), ignore_index=o.get("ignore_index", -100),
                           reduction=reduction(o), label_smoothing=o.get("label_smoothing", 0.0))


@own("F.nll_loss")
def nll_loss(i, o):
    return F.nll_loss(i["log_probs"], classes(i), i.get("weight"), ignore_index=o.get("ignore_index", -100),
                      reduction=reduction(o))


@own("F.binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(i, o):
    return F.binary_cross_entropy_with_logits(i["logits"], i["targets"], i.get("weight"), reduction=reduction(o),
                                              pos_weight=i.get("pos_weight"))


@own("F.binary_cross_entropy")
def binary_cross_entropy(i, o):
    return F.binary_cross_entropy(i["probs"], i["targets"], i.get("weight"), reduction=reduction(o))


@own("F.soft_margin_loss")
def soft_margin_loss(i, o):
    return F.soft_margin_loss(i["input"], i["targets"], reduction=reduction(o))


@own("F.multi_margin_loss")
def multi_margin_loss(i, o):
    return F.multi_margin_loss(i["input"], classes(i), int(o.get("p", 1)), o.get("margin", 1.0), i.get("weight"),
                               reduction=reduction(o))


@own("F.kl_div")
def kl_div(i, o):
    return F.kl_div(i["input"], i["target"], reduction=reduction(o), log_target=o.get("log_target", False))


@own("F.mse_loss")
def mse_loss(i, o):
    return F.mse_loss(i["input"], i["target"], reduction=reduction(o))


@own("F.l1_loss")
def l1_loss(i, o):
    return F.l1_loss(i["input"], i["target"], reduction=reduction(o))


@own("F.smooth_l1_loss")
def smooth_l1_loss(i, o):
    return F.smooth_l1_loss(i["input"], i["target"], reduction=reduction(o), beta=o.get("beta", 1.0))


@own("F.huber_loss")
def huber_loss(i, o):
    return F.huber_loss(i["input"], i["target"], reduction=reduction(o), delta=o.get("delta", 1.0))


@own("F.poisson_nll_loss")
def poisson_nll_loss(i, o):
    return F.poisson_nll_loss(i["input"], i["target"], o.get("log_input", True), o.get("full", False),
                              eps=o.get("eps", 1e-8), reduction=reduction(o))


@own("F.triplet_margin_loss")
def triplet_margin_loss(i, o):
    return F.triplet_margin_loss(i["anchor"], i["positive"], i["negative"], o.get("margin", 1.0), 2,
                                 o.get("eps", 1e-6), o.get("swap", False), reduction=reduction(o))


@own("torch.softmax")
def softmax(i, o):
    return torch.softmax(i["x"], -1)


@own("torch.log_softmax")
def log_softmax(i, o):
    return torch.log_softmax(i["x"], -1)


@own("torch.logsumexp")
def logsumexp(i, o):
    return torch.logsumexp(i["x"], -1)


@own("torch.sigmoid")
def sigmoid(i, o):
    return torch.sigmoid(i["x"])


@own("F.logsigmoid")
def log_sigmoid(i, o):
    return F.logsigmoid(i["x"])


@own("F.softplus")
def softplus(i, o):
    return F.softplus(i["x"])


@own("torch.tanh")
def tanh(i, o):
    return torch.tanh(i["x"])


# losses that PyTorch does not have


@composed("0.5 * (a - y) ** 2")
def half_squared_error(i, o):
    return reduced(0.5 * (i["input"] - i["target"]) ** 2, o)


@composed("torch.clamp(margin - y * x, min=0)")
def hinge_loss(i, o):
    return reduced(torch.clamp(o.get("margin", 1.0) - i["targets"] * i["input"], min=0), o)


@composed("torch.clamp(margin - y * x, min=0) ** 2")
def squared_hinge_loss(i, o):
    return reduced(torch.clamp(o.get("margin", 1.0) - i["targets"] * i["input"], min=0) ** 2, o)


@composed("torch.maximum(q * u, (q - 1) * u)")
def quantile_loss(i, o):
    x, target = i["input"], i["target"]
    q = torch.tensor(o.get("q", 0.5), dtype=torch.float64).to(x.dtype)
    u = (target[..., None] if q.ndim else target) - x
    return reduced(torch.maximum(q * u, (q - 1) * u), o)


@composed("e + F.softplus(-2 * e) - math.log(2)")
def log_cosh_loss(i, o):
    e = i["input"] - i["target"]
    return reduced(e + F.softplus(-2 * e) - math.log(2), o)


@composed("-torch.log(p)")
def self_information(i, o):
    return reduced(nats_or_bits(-torch.log(i["p"]), o), o)


@composed("torch.special.entr(p).sum(-1)")
def entropy(i, o):
    return reduced(nats_or_bits(torch.special.entr(i["p"]).sum(-1), o), o)


@composed("torch.distributions.Categorical(logits=z).entropy()")
def entropy_from_logits(i, o):
    each = torch.distributions.Categorical(logits=i["logits"], validate_args=False).entropy()
    return reduced(nats_or_bits(each, o), o)


@composed("-torch.special.xlogy(p, q).sum(-1)")
def cross_entropy_probs(i, o):
    return reduced(nats_or_bits(-torch.special.xlogy(i["p"], i["q"]).sum(-1), o), o)


@composed("F.kl_div(b.log_softmax(-1), a.log_softmax(-1), log_target=True, reduction=\"none\").sum(-1)")
def kl_div_logits(i, o):
    a, b = i["p_logits"].log_softmax(-1), i["q_logits"].log_softmax(-1)
    each = F.kl_div(b, a, log_target=True, reduction="none").sum(-1)
    return each.mean() if reduction(o) == "batchmean" else reduced(each, o)


@composed("as torchvision.ops.sigmoid_focal_loss is written")
def sigmoid_focal_loss(i, o):
    z, t, alpha = i["logits"], i["targets"], o.get("alpha", 0.25)
    p = torch.sigmoid(z)
    ce = F.binary_cross_entropy_with_logits(z, t, reduction="none")
    p_t = p * t + (1 - p) * (1 - t)
    loss = ce * ((1 - p_t) ** o.get("gamma", 2.0))
    if alpha >= 0:
        loss = (alpha * t + (1 - alpha) * (1 - t)) * loss
    return reduced(loss, o)


@composed("ce = F.cross_entropy(.., reduction=\"none\"); (1 - torch.exp(-ce)) ** gamma * ce")
def softmax_focal_loss(i, o):
    targets = classes(i)
    ce = F.cross_entropy(i["logits"], targets, reduction="none")
    each = (1 - torch.exp(-ce)) ** o.get("gamma", 2.0) * ce
    if "alpha" in i:
        each = i["alpha"][targets] * each
    return reduced(each, o)


@composed("F.cross_entropy(.., reduction=\"none\").topk(k).values")
def topk_cross_entropy(i, o):
    each = F.cross_entropy(i["logits"], classes(i), reduction="none")
    return reduced(each.topk(int(o["k"])).values, o)


def dice(p, t, smooth, squared, dim):
    total = (p * p + t * t if squared else p + t).sum(dim)
    return 1 - (2 * (p * t).sum(dim) + smooth) / (total + smooth)


@composed("1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth)")
def dice_loss(i, o):
    p = torch.sigmoid(i["input"]) if o.get("activation", "sigmoid") == "sigmoid" else i["input"]
    dim = -1 if o.get("per", "all") == "sample" else tuple(range(p.ndim))
    return reduced(dice(p, i["targets"], o.get("smooth", 1.0), o.get("squared", False), dim), o)


@composed("a * ce + (1 - a) * dice, each as above")
def ce_dice_loss(i, o):
    z, smooth = i["logits"], o.get("smooth", 1.0)
    if o.get("mode", "binary") == "binary":
        t = i["targets"]
        ce = F.binary_cross_entropy_with_logits(z, t)
        overlap = dice(torch.sigmoid(z), t, smooth, False, tuple(range(z.ndim)))
    else:
        labels = classes(i)
        ce = F.cross_entropy(z, labels)
        t = F.one_hot(labels, z.shape[-1]).to(z.dtype)
        overlap = dice(z.softmax(-1), t, smooth, False, 0).mean()
    a = o.get("a", 0.5)
    return a * ce + (1 - a) * overlap


@composed("d = F.pairwise_distance(x1, x2, eps=0); 0.5 * (y * d ** 2 + (1 - y) * torch.clamp(margin - d, min=0) ** 2)")
def contrastive_loss(i, o):
    d, y = F.pairwise_distance(i["x1"], i["x2"], eps=0), i["targets"]
    return reduced(0.5 * (y * d**2 + (1 - y) * torch.clamp(o.get("margin", 1.0) - d, min=0) ** 2), o)


@composed("as in the SupContrast repository of its authors: similarities less their maximum, exp, sum, log")
def supcon_loss(i, o):
    z, labels = i["features"], i["labels"]
    if o.get("normalize", True):
        z = F.normalize(z, dim=1)
    logits = z @ z.T / o.get("temperature", 0.07)
    logits = logits - logits.max(1, keepdim=True).values.detach()
    others = 1 - torch.eye(len(z), dtype=z.dtype)
    positives = (labels[:, None] == labels).to(z.dtype) * others
    log_prob = logits - torch.log((torch.exp(logits) * others).sum(1, keepdim=True))
    count = positives.sum(1)
    each = -(positives * log_prob).sum(1) / count.clamp(min=1)
    return each.sum() / (count > 0).sum() if reduction(o) == "mean" else reduced(each, o)


# measuring


class Precision:
    def __init__(self, dtype):
        info = torch.finfo(dtype)
        self.dtype, self.unit = dtype, info.eps / 2
        self.smallest_normal, self.largest = info.tiny, info.max

    def ordinary(self, exact):
        return self.smallest_normal <= abs(exact) <= self.largest

    def ulp(self, x, exact, budget):
        if not (self.ordinary(exact) and budget <= 64 * abs(exact) and math.isfinite(x)):
            return None
        power_below = 2.0 ** (math.frexp(exact)[1] - 1)
        return abs(x - exact) / (power_below * 2 * self.unit)


def number(x):
    return float(x) if isinstance(x, str) else x


def flat(nested):
    return [x for part in nested for x in flat(part)] if isinstance(nested, list) else [number(nested)]


def tensor(nested, dtype):
    def read(x):
        return [read(part) for part in x] if isinstance(x, list) else number(x)

    return torch.tensor(read(nested), dtype=torch.float64).to(dtype)


class Accuracy:
    def __init__(self):
        self.numbers, self.ulp, self.false = 0, None, [0, 0, 0]

    def add(self, computed, exact, budget, precision):
        assert len(computed) == len(exact) == len(budget), (computed, exact)
        for x, exact, budget in zip(computed, exact, budget):
            self.numbers += 1
            ulp = precision.ulp(x, exact, budget)
            if ulp is not None:
                self.ulp = max(self.ulp or 0.0, ulp)
            if precision.ordinary(exact) and (x == 0 or not math.isfinite(x)):
                self.false[0 if x == 0 else 1 if math.isinf(x) else 2] += 1

    def told(self):
        ulp = None if self.ulp is None else float(f"{self.ulp:.4g}")
        return {"numbers": self.numbers, "ulp": ulp, "zeros": self.false[0], "infinities": self.false[1],
                "nans": self.false[2]}


def measure(name, cases, dtype):
    precision, value, gradient, refused = Precision(dtype), Accuracy(), Accuracy(), []
    for case in cases:
        if case.get("f64_only") and dtype == torch.float32:
            continue
        expected = case["expected"]
        grads, budget = expected["grad"], expected["budget"]
        inputs = {key: tensor(x, dtype) for key, x in case["inputs"].items()}
        weights = inputs.pop("grad_output", None)
        for key in grads:
            inputs[key].requires_grad_()
        try:
            output = LOSSES[name][2](inputs, case["options"])
            weights = torch.ones_like(output) if weights is None else weights
            found = torch.autograd.grad(output, [inputs[key] for key in grads], weights, allow_unused=True)
        except (RuntimeError, ValueError) as error:
            refused.append(f"{case['name']}: {str(error).splitlines()[0]}")
            continue
        value.add(flat(output.tolist()), flat(expected["value"]), flat(budget["value"]), precision)
        for key, grad in zip(grads, found):
            if grad is not None:
                gradient.add(flat(grad.tolist()), flat(grads[key]), flat(budget["grad"][key]), precision)
    return {"value": value.told(), "gradient": gradient.told(), "refused": refused}


def main():
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "reduction: 'mean'")  # of kl_div: it is what is meant
    losses = {}
    for path in sorted((HERE.parent / "vectors").glob("*.json")):
        document = json.loads(path.read_text())
        name = document["loss"]
        if name in LOSSES:
            call, is_own, _ = LOSSES[name]
            losses[name] = {"call": call, "own": is_own}
            for key, dtype in [("f32", torch.float32), ("f64", torch.float64)]:
                losses[name][key] = measure(name, document["cases"], dtype)
                for refused in losses[name][key]["refused"]:
                    print(f"{name}, {key}: refused {refused}")
        else:
            print(f"{name}: not measured")
    result = {"torch": torch.__version__.split("+")[0], "cpu": torch.backends.cpu.get_cpu_capability(), "losses": losses}
    (HERE / "accuracy.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
