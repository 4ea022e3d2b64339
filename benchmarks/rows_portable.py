"""The portable engine against the model's own scikit-learn, on raw rows of the rentals: texts with units, gaps, dates, words."""

import time

from pairs import Pair

WHAT = "`PortableEngine`: {} of raw rentals, {}"
MODELS = ("logistic", "boosting")
PAIRS = [
    Pair(
        f"portable-table-{model}",
        WHAT.format("a table of 1M rows", model) + ", against `model.predict`",
        "rows_portable",
        "table",
        "table_of_model",
        1.0,
        "at_least",
        arguments={"model": model},
        quick={"rows": 100_000},
    )
    for model in MODELS
] + [
    Pair(
        f"portable-row-{model}",
        WHAT.format("one row at a time", model),
        "rows_portable",
        "one_by_one",
        None,
        arguments={"model": model},
        limits={"microseconds": 150},
    )
    for model in MODELS
]


def prepared(model, rows):
    "A fitted model, and many raw rows drawn from the sample."
    from mlwork.collect import load
    from mlwork.split import holdout
    from mlwork.train import fit

    split = holdout(load("sample:rentals", target="let_within_week"))
    frame = split.train.frame.drop(columns="let_within_week")
    return fit(split, model=model), frame.sample(rows, replace=True, random_state=0).reset_index(drop=True)


def engine_of(fitted):
    from mlwork.deploy.bundle import bundle
    from mlwork.deploy.engine import PortableEngine

    return PortableEngine(bundle(fitted))


def table(model, rows=1_000_000):
    fitted, frame = prepared(model, rows)
    engine = engine_of(fitted)
    engine.predict_table(frame.head(500))
    yield
    found = engine.predict_table(frame)
    yield
    return {"alike": float((found["prediction"].head(5000) == fitted.predict(frame.head(5000))).mean()), "frame_bytes": frame_bytes(frame)}


def table_of_model(model, rows=1_000_000):
    fitted, frame = prepared(model, rows)
    fitted.predict(frame.head(500))
    yield
    fitted.predict(frame)


def frame_bytes(frame):
    return int(frame.memory_usage(deep=True).sum())


def one_by_one(model, rows=5000):
    fitted, frame = prepared(model, rows)
    engine = engine_of(fitted)
    asked = frame.astype(object).where(frame.notna(), None).to_dict("records")
    engine.answer(asked[:500])
    yield
    start = time.process_time()
    for row in asked:
        engine.answer([row])
    return {"microseconds": (time.process_time() - start) / rows * 1e6}
