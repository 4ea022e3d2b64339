"""Tables to measure on: numpy and pandas alone, the same in every environment."""

import numpy as np
import pandas as pd

WORDS = "flat bright quiet old new near park with balcony kitchen sunny small large view lake street city centre bath lift".split()


def mixed(rows: int, columns: int = 30, seed: int = 0) -> pd.DataFrame:
    "A table of mixed columns, every tenth value missing in some, in turn: 5 kinds of numbers, 2 of categories, a boolean, a date, a text."
    rng = np.random.default_rng(seed)
    kinds = [normal, skewed, counts, rounded, gappy, few_levels, many_levels, yes_no, dates, sentences]
    return pd.DataFrame({f"{kinds[i % 10].__name__}_{i}": kinds[i % 10](rng, rows) for i in range(columns)})


def normal(rng, n):
    return rng.normal(50, 12, n)


def skewed(rng, n):
    return rng.lognormal(3, 1, n)


def counts(rng, n):
    return rng.poisson(4, n)


def rounded(rng, n):
    return rng.normal(1000, 300, n).round(-1)


def gappy(rng, n):
    return np.where(rng.random(n) < 0.1, np.nan, rng.normal(0, 1, n))


def few_levels(rng, n):
    return pd.Series(np.array(["red", "green", "blue", "black", "white", None], object)[rng.integers(0, 6, n)])


def many_levels(rng, n):
    names = np.array([f"street {i}" for i in range(2000)], object)
    return pd.Series(names[(2000 * rng.random(n) ** 3).astype(int)])


def yes_no(rng, n):
    return rng.random(n) < 0.3


def dates(rng, n):
    return pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 2000 * 86400, n), unit="s")


def sentences(rng, n):
    words = np.array(WORDS, object)[rng.integers(0, len(WORDS), (n, 6))]
    return pd.Series([" ".join(line) for line in words])
