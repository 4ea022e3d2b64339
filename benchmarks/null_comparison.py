"""How often does a comparison crown a false winner, and how often does the interval of a score hold the truth? A longer simulation.

`python benchmarks/null_comparison.py [--worlds 1000]` prints two tables. In each world all models are equally good by construction: each
leans on columns of its own, all worth the same. Scores come from the folds that a split makes: 5 folds x 2 repeats, or 10 folds.
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from mlwork.metrics import score
from mlwork.ties import against_leader, difference_p, fold_interval

PLANS = [(100, 5, 2), (300, 5, 2), (1000, 5, 2), (1000, 10, 1)]  # rows, folds, repeats
COLUMNS = 4  # a model


def folds_of(rows, folds, repeats, rng):
    "Pairs of training and validation positions."
    for _ in range(repeats):
        parts = np.array_split(rng.permutation(rows), folds)
        for i, valid in enumerate(parts):
            yield np.concatenate(parts[:i] + parts[i + 1 :]), valid


def ranked(y, p):
    "ROC AUC from ranks; NaN with one class only."
    order, positives = pd.Series(p).rank().to_numpy(), y.sum()
    pairs = positives * (len(y) - positives)
    return (order[y].sum() - positives * (positives + 1) / 2) / pairs if pairs else np.nan


def measure(metric, y, p):
    if metric == "rmse":
        return -np.sqrt(np.mean((y - p) ** 2))
    return ranked(y, p) if metric == "roc_auc" else np.mean((p > 0.5) == y)


def linear(train, y, valid):
    "Least squares, also for classes."
    with_one = [np.column_stack([np.ones(len(X)), X]) for X in (train, valid)]
    return with_one[1] @ np.linalg.lstsq(with_one[0], y.astype(float))[0]


def tree(train, y, valid):
    "A deep tree: another sample of rows, another model."
    return DecisionTreeClassifier(min_samples_leaf=5, random_state=0).fit(train, y).predict_proba(valid)[:, -1]


def world(rng, rows, models, metric):
    "Columns and a target that leans on all of them by the same amount; about a quarter of the classes are positive."
    X = rng.normal(size=(rows, COLUMNS * models))
    z = X.sum(axis=1) / 2
    return X, z + rng.normal(size=rows) if metric == "rmse" else rng.random(rows) < 1 / (1 + np.exp(1.2 - z))


def fold_scores(rng, plan, models, metric, learn=linear):
    "One row a fold, one column a model, greater is better; and the out-of-fold predictions of the first model."
    rows, folds, repeats = plan
    (X, y), oof, scores = world(rng, rows, models, metric), np.empty(rows), []
    for i, (train, valid) in enumerate(folds_of(rows, folds, repeats, rng)):
        parts = [slice(k, k + COLUMNS) for k in range(0, COLUMNS * models, COLUMNS)]
        said = [learn(X[train, p], y[train], X[valid, p]) for p in parts]
        scores.append([measure(metric, y[valid], s) for s in said])
        if i < folds:
            oof[valid] = said[0]
    return pd.DataFrame(scores), y, oof


def winners(plan, models, metric, worlds, rng):
    "Share of the worlds with a false winner: ours, with repeats counted as new rows, without Holm, and with folds taken as independent."
    _, folds, repeats = plan
    found = np.zeros(4)
    for _ in range(worlds):
        scores = fold_scores(rng, plan, models, metric)[0].dropna()
        lead = scores.mean().idxmax()
        p = [difference_p((scores[lead] - scores[m]).to_numpy(), 1 / (folds - 1), folds) for m in scores if m != lead]
        naive = [difference_p((scores[lead] - scores[m]).to_numpy(), 0.0) for m in scores if m != lead]
        ours, counted = (against_leader(scores, 1 / (folds - 1), k)["tied"] for k in (folds, None))
        found += [(~ours).any(), (~counted).any(), min(p) <= 0.05, min(naive) <= 0.05]
    return found / worlds


def covered(plan, learn, metric, worlds, rng):
    "Share of intervals that hold the true score: over folds, and from out-of-fold predictions."
    rows, folds, _ = plan
    runs = [fold_scores(rng, plan, 1, metric, learn) for _ in range(worlds)]
    truth, found = np.nanmean([s[0].mean() for s, _, _ in runs]), np.zeros(2)
    for scores, y, oof in runs:
        over = fold_interval(scores[0].to_numpy(), 1 / (folds - 1))
        own = score(y.astype(int), oof > 0.5, np.clip(oof, 0, 1), metric, task="binary")[metric]
        found += [over.low <= truth <= over.high, own.low <= truth <= own.high]
    return found / worlds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=1000)
    worlds, rng = parser.parse_args().worlds, np.random.default_rng(0)
    heads = [
        "metric",
        "models",
        "rows, folds, repeats",
        "false winners",
        "repeats counted as new rows",
        "without Holm",
        "folds as independent",
    ]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for metric in ("roc_auc", "accuracy", "rmse"):
        for models in (2, 5):
            for plan in PLANS:
                shares = " | ".join(f"{s:.1%}" for s in winners(plan, models, metric, worlds, rng))
                print(f"| {metric} | {models} | {plan} | {shares} |", flush=True)
    print("\n| metric | model | rows, folds, repeats | interval over folds | interval out of fold |\n|---|---|---|---|---|")
    for metric in ("roc_auc", "accuracy"):
        for learn in (linear, tree):
            for plan in PLANS:
                shares = " | ".join(f"{s:.1%}" for s in covered(plan, learn, metric, worlds, rng))
                print(f"| {metric} | {learn.__name__} | {plan} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
