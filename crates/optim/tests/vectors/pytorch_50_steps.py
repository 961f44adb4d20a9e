"""Fifty steps of PyTorch's optimizers, and the rates of its schedules: writes pytorch_50_steps.json beside this file.

    python pytorch_50_steps.py

In f64. The settings of a case are what the test hands to surprisal; theta is reported after the steps in STEPS.
"""

import json
import pathlib
import warnings

import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR, ExponentialLR, LinearLR, ReduceLROnPlateau, SequentialLR, StepLR,
)

torch.set_default_dtype(torch.float64)
warnings.simplefilter("ignore")  # of schedules stepped without their optimizer

HERE = pathlib.Path(__file__).parent
PROBLEMS = json.loads((HERE / "optimizers_20_steps.json").read_text())["setting"]["problems"]
STEPS = [1, 2, 3, 5, 10, 20, 30, 40, 50]

OPTIMIZERS = {
    "sgd": torch.optim.SGD, "adagrad": torch.optim.Adagrad, "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam, "adamw": torch.optim.AdamW,
}

CASES = {
    "sgd": dict(optimizer="sgd", lr=0.05),
    "sgd, decay": dict(optimizer="sgd", lr=0.05, weight_decay=0.1),
    "momentum": dict(optimizer="sgd", lr=0.02, momentum=0.9),
    "momentum, decay": dict(optimizer="sgd", lr=0.02, momentum=0.9, weight_decay=0.1),
    "nesterov": dict(optimizer="sgd", lr=0.02, momentum=0.9, nesterov=True),
    "nesterov, decay": dict(optimizer="sgd", lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
    "rmsprop": dict(optimizer="rmsprop", lr=0.01),
    "rmsprop, alpha, eps, decay": dict(optimizer="rmsprop", lr=0.01, alpha=0.9, eps=1e-4, weight_decay=0.1),
    "rmsprop, momentum": dict(optimizer="rmsprop", lr=0.01, momentum=0.9),
    "rmsprop, momentum, decay": dict(optimizer="rmsprop", lr=0.01, momentum=0.9, weight_decay=0.1),
    "adagrad": dict(optimizer="adagrad", lr=0.1),
    "adagrad, eps, decay": dict(optimizer="adagrad", lr=0.1, eps=1e-3, weight_decay=0.1),
    "adam": dict(optimizer="adam", lr=0.05),
    "adam, betas, eps, decay": dict(optimizer="adam", lr=0.05, beta1=0.8, beta2=0.95, eps=1e-4, weight_decay=0.1),
    "adamw": dict(optimizer="adamw", lr=0.05),
    "adamw, decay": dict(optimizer="adamw", lr=0.05, weight_decay=0.3),
    "clipped norm": dict(optimizer="sgd", lr=0.1, momentum=0.5, clip_grad_norm=0.5),
    "clipped values": dict(optimizer="sgd", lr=0.1, momentum=0.5, clip_grad_value=0.1),
    "l1": dict(optimizer="sgd", lr=0.02, l1=0.5),
    "elastic net": dict(optimizer="adam", lr=0.05, l1=0.2, l2=0.3),
    # the rate of all is scaled by decay_per_step at every step
    "groups, sgd": dict(optimizer="sgd", lr=0.05, weight_decay=0.1, momentum=0.5, decay_per_step=0.97,
                        groups={"bias": dict(lr=0.2, weight_decay=0.0)}),
    "groups, adagrad": dict(optimizer="adagrad", lr=0.05, weight_decay=0.1, decay_per_step=0.97,
                            groups={"bias": dict(lr=0.2, weight_decay=0.0)}),
    "groups, rmsprop": dict(optimizer="rmsprop", lr=0.01, momentum=0.5, decay_per_step=0.97,
                            groups={"bias": dict(lr=0.02, weight_decay=0.2)}),
    "groups, adam": dict(optimizer="adam", lr=0.05, decay_per_step=0.97,
                         groups={"bias": dict(lr=0.01, weight_decay=0.2)}),
    "groups, adamw": dict(optimizer="adamw", lr=0.05, weight_decay=0.3, decay_per_step=0.97,
                          groups={"bias": dict(lr=0.01, weight_decay=0.0)}),
    "two micro-batches": dict(optimizer="adam", lr=0.05, micro_batches=[3, 1]),
}
ONLY_LOGISTIC = ("groups", "two micro-batches")  # which has a "bias", and rows

# the options of the constructors; beta1 and beta2 are PyTorch's betas
OPTIONS = ("lr", "momentum", "nesterov", "alpha", "eps", "weight_decay")


def start(problem):
    theta = torch.tensor(PROBLEMS[problem]["start"])
    if problem == "quadratic":
        return {"theta": theta.clone().requires_grad_()}
    return {"weight": theta[:2].clone().requires_grad_(), "bias": theta[2:].clone().requires_grad_()}


def loss_of(problem, params, rows=slice(None)):
    if problem == "quadratic":
        a, b = (torch.tensor(PROBLEMS[problem][key]) for key in "Ab")
        return params["theta"] @ a @ params["theta"] / 2 - b @ params["theta"]
    x, y = (torch.tensor(PROBLEMS[problem][key], dtype=torch.float64)[rows] for key in "Xy")
    return torch.nn.functional.binary_cross_entropy_with_logits(x @ params["weight"] + params["bias"], y)


def trajectory(problem, case):
    params = start(problem)
    options = {key: case[key] for key in OPTIONS if key in case}
    if "beta1" in case:
        options["betas"] = (case["beta1"], case["beta2"])
    groups = case.get("groups", {})
    listed = [{"params": [p for name, p in params.items() if name not in groups]}]
    listed += [{"params": [params[name]], **own} for name, own in groups.items()]
    optimizer = OPTIMIZERS[case["optimizer"]](listed, **options)
    schedule = ExponentialLR(optimizer, case.get("decay_per_step", 1.0))

    rows = []
    for step in range(1, STEPS[-1] + 1):
        optimizer.zero_grad()
        first = 0
        for count in case.get("micro_batches", [len(PROBLEMS["logistic"]["y"])]):
            share = count / len(PROBLEMS["logistic"]["y"])
            (share * loss_of(problem, params, slice(first, first + count))).backward()
            first += count
        weights = [p for name, p in params.items() if name != "bias"]
        if "l1" in case or "l2" in case:
            penalty = sum(case.get("l1", 0) * w.abs().sum() + case.get("l2", 0) / 2 * (w * w).sum() for w in weights)
            penalty.backward()
        if "clip_grad_norm" in case:
            torch.nn.utils.clip_grad_norm_(params.values(), case["clip_grad_norm"])
        if "clip_grad_value" in case:
            torch.nn.utils.clip_grad_value_(params.values(), case["clip_grad_value"])
        optimizer.step()
        schedule.step()
        if step in STEPS:
            rows.append([number for p in params.values() for number in p.tolist()])
    return rows


def rates(base, epochs, steps_per_epoch, make, per_step=False, watched=None):
    """The rate of every step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
    schedule, found = make(optimizer), []
    for epoch in range(epochs):
        for _ in range(steps_per_epoch):
            found.append(optimizer.param_groups[0]["lr"])
            if per_step:
                schedule.step()
        if watched is not None:
            schedule.step(watched[epoch])
        elif not per_step:
            schedule.step()
    return found


def cosine(warmup, floor, epochs, steps_per_epoch, base):
    """From 0, which no step takes, up to the base rate, and down along half a wave."""
    up, steps = warmup * steps_per_epoch, epochs * steps_per_epoch

    def make(optimizer):
        if up == 0:
            return CosineAnnealingLR(optimizer, T_max=steps, eta_min=floor * base)
        return SequentialLR(optimizer, milestones=[up], schedulers=[
            LinearLR(optimizer, start_factor=1 / (up + 1), total_iters=up),
            CosineAnnealingLR(optimizer, T_max=steps - up, eta_min=floor * base),
        ])
    return make


LOSSES = [3, 2, 1, 1, 0.99999, 1.1, 1.2, 0.9, 0.95, 0.89999, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5, 0.6, 0.6, 0.6, 0.6,
          0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]
ACCURACIES = [0.5, 0.6, 0.60001, 0.6, 0.7, 0.7, 0.7, 0.69, 0.70001, 0.8, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]


def plateau(watched, sign, patience, factor, threshold, least):
    # surprisal watches what is to become small: of an accuracy, its negative
    mode = "min" if sign > 0 else "max"
    return dict(
        schedule=f"plateau:patience={patience},factor={factor},threshold={threshold},least={least}",
        base=0.1, epochs=len(watched), steps_per_epoch=1, watched=[sign * value for value in watched],
        rates=rates(0.1, len(watched), 1, watched=watched, make=lambda o: ReduceLROnPlateau(
            o, mode=mode, patience=patience, factor=factor, threshold=threshold, min_lr=least)),
    )


def per_epoch(schedule, make):
    return dict(schedule=schedule, base=0.1, epochs=30, steps_per_epoch=2, rates=rates(0.1, 30, 2, make))


def along_a_cosine(warmup, floor, epochs):
    return dict(
        schedule=f"cosine:warmup={warmup},floor={floor}", base=0.1, epochs=epochs, steps_per_epoch=4,
        rates=rates(0.1, epochs, 4, cosine(warmup, floor, epochs, 4, 0.1), per_step=True),
    )


trajectories = [
    dict(name=name, problem=problem, settings=case, theta=trajectory(problem, case))
    for problem in PROBLEMS
    for name, case in CASES.items()
    if problem == "logistic" or not name.startswith(ONLY_LOGISTIC)
]
schedules = [
    per_epoch("step:every=7,factor=0.5", lambda o: StepLR(o, step_size=7, gamma=0.5)),
    per_epoch("exponential:factor=0.95", lambda o: ExponentialLR(o, gamma=0.95)),
    along_a_cosine(0, 0.0, 8),
    along_a_cosine(0, 0.01, 8),
    along_a_cosine(1, 0.0, 8),
    along_a_cosine(3, 0.1, 10),
    plateau(LOSSES, 1, 2, 0.5, 1e-4, 1e-6),
    plateau(LOSSES, 1, 0, 0.1, 0.2, 1e-3),
    plateau(ACCURACIES, -1, 1, 0.5, 1e-4, 1e-6),
]


def lines(cases):
    """One case, one line."""
    return "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]"


about = f"written by pytorch_50_steps.py with PyTorch {torch.__version__}"
(HERE / "pytorch_50_steps.json").write_text(
    f'{{"about": {json.dumps(about)}, "steps": {json.dumps(STEPS)}, "trajectories": {lines(trajectories)}, '
    f'"schedules": {lines(schedules)}}}\n'
)
