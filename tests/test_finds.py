"""It finds what is wrong: every planted flaw of rentals, and nothing at warning or above on clean tables that is not true of them."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlwork.collect import load
from mlwork.core import BadType
from mlwork.evaluate import evaluate
from mlwork.explore import profile
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.train import fit

FOUND_BY = {  # planted flaw: (names of the findings that see it, columns that must be named; None: those of the truth)
    "missing_at_random": (["spellings of missing"], None),
    "missing_spellings": (["spellings of missing"], None),
    "missing_for_a_reason": (["missing for a reason"], None),
    "outliers": (["impossible values", "values far apart"], None),
    "numbers_with_units": (["numbers hidden in text"], None),
    "unit_mix_up": (["several units in one column"], None),
    "unit_mix_up_unsaid": (["two units in one column"], None),
    "spelling_variants": (["several spellings of one thing"], None),
    "mixed_dates": (["several date formats"], None),
    "exact_duplicates": (["duplicate rows"], None),
    "near_duplicates": (["near-duplicate rows"], ["photos", "description"]),
    "constant": (["constant column"], None),
    "id": (["id-like column"], None),
    "leak_derived_from_the_target": (["gives the target away", "two columns compute the target"], None),
    "leak_after_the_event": (["gives the target away"], None),
    "shift": (
        ["changes with time"],
        ["heating", "agent"],
    ),  # rents: seen as price_per_m2; that furnished means less: only a monitor sees it
    "small_noisy_city": (["subgroup gap"], None),
}


@pytest.fixture(scope="module")
def truth(request):
    path = request.config.rootpath / "data" / "rentals.truth.json"
    return json.loads(path.read_text(encoding="utf-8"))


def findings_on_rentals(target, other, model):
    "All that the stages say of rentals with one of its targets; the shift is looked for over the whole time."
    data = load("sample:rentals", target=target, roles={other: "ignored"})
    split = holdout(data.drop_duplicates(), by="time", time="listed_on", test="3 months", group="building")
    known = profile(split)
    recipe = Recipe.suggest(known, data.findings)
    report = evaluate(fit(split, recipe, model), split)
    return [*data.findings, *split.findings, *known.findings, *report.findings, *profile(data).findings]


@pytest.fixture(scope="module")
def found():
    return {
        "let_within_week": findings_on_rentals("let_within_week", "price", "logistic"),
        "price": findings_on_rentals("price", "let_within_week", "ridge"),
    }


def test_every_planted_flaw_of_rentals_is_found(truth, found):
    missed = []
    for flaw in truth:
        names, columns = FOUND_BY[flaw["flaw"]]
        columns = flaw["columns"] if columns is None else columns
        seen = {(f.name, c) for f in found[flaw["target"] or "let_within_week"] for c in (f.columns or [None])}
        seen |= {(name, None) for name, _ in seen}
        missed += [(flaw["flaw"], c) for c in (columns or [None]) if not any((name, c) in seen for name in names)]
    assert not missed


TRUE_OF = {  # what is true of the real tables at warning and above, with the reason
    "tumours": {"strongly tied columns"},  # radius, perimeter and area measure one size
    "wine": {"few rows"},  # 178 rows
    "diabetes": set(),
}


@pytest.mark.parametrize("name", TRUE_OF)
def test_nothing_false_is_said_of_clean_tables(name):
    data = load(f"sample:{name}")
    split = holdout(data)
    known = profile(split)
    report = evaluate(fit(split, Recipe.suggest(known, data.findings), "ridge" if data.task == "regression" else "logistic"), split)
    said = [f for noun in (data, split, known, report) for f in noun.findings.at_least("warning")]
    assert {f.name for f in said} <= TRUE_OF[name], said


def clean_frame(rng, rows=400):
    "A table without flaws: five columns that know little of the target."
    size = rng.normal(80, 15, rows).round(1)
    return pd.DataFrame(
        {
            "size": size,
            "visits": rng.gamma(4, 10, rows).round(),
            "town": rng.choice(["Ano", "Bex", "Cor", "Dun"], rows),
            "score": rng.normal(0, 1, rows).round(3),
            "y": np.where(size + rng.normal(0, 15, rows) > 80, "yes", "no"),
        }
    )


def plant_constant(frame, rng):
    return frame.assign(flaw=1), "flaw", "constant column"


def plant_id(frame, rng):
    return frame.assign(flaw_id=[f"K{i:05d}" for i in rng.permutation(len(frame))]), "flaw_id", "id-like column"


def plant_leak(frame, rng):
    return (
        frame.assign(flaw=np.where(frame["y"] == "yes", 3.0, 1.0) + rng.normal(0, 0.1, len(frame)).round(3)),
        "flaw",
        "gives the target away",
    )


def plant_spellings(frame, rng):
    rows = rng.random(len(frame)) < 0.1
    return frame.assign(town=frame["town"].where(~rows, frame["town"].str.upper())), "town", "several spellings of one thing"


def plant_units(frame, rng):
    return frame.assign(size=[f"{v} m²" for v in frame["size"]]), "size", "numbers hidden in text"


def plant_twin(frame, rng):
    return frame.assign(flaw=frame["score"] * 3 + 1), "flaw", "strongly tied columns"


def plant_outliers(frame, rng):
    far = rng.choice(len(frame), 3, replace=False)
    return frame.assign(score=frame["score"].where(~frame.index.isin(far), 900.0)), "score", "values far apart"


def plant_gaps_with_target(frame, rng):
    gone = (frame["y"] == "yes") & (rng.random(len(frame)) < 0.6)
    return frame.assign(visits=frame["visits"].mask(gone)), "visits", "missing depends on the target"


def plant_duplicates(frame, rng):
    return pd.concat([frame, frame.sample(30, random_state=1)], ignore_index=True), None, "duplicate rows"


PLANTS = [
    plant_constant,
    plant_id,
    plant_leak,
    plant_spellings,
    plant_units,
    plant_twin,
    plant_outliers,
    plant_gaps_with_target,
    plant_duplicates,
]


def all_findings(frame):
    data = load(frame, target="y")
    return [*data.findings, *profile(data).findings]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.sampled_from(PLANTS), st.integers(0, 2**16))
def test_flaws_planted_at_random_are_found(plant, seed):
    rng = np.random.default_rng(seed)
    frame, column, name = plant(clean_frame(rng), rng)
    said = all_findings(frame)
    assert any(f.name == name and (column is None or column in f.columns) for f in said), (name, said)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.integers(0, 2**16))
def test_nothing_is_said_of_a_frame_without_flaws(seed):
    said = [f for f in all_findings(clean_frame(np.random.default_rng(seed))) if f.severity != "info"]
    assert not said


ROWS = 500
RNG = np.random.default_rng(3)
DAYS = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 300, ROWS), unit="D"))
WITH_GAPS = {
    "numeric column": pd.Series(RNG.normal(size=ROWS)),
    "categorical column": pd.Series(RNG.choice(list("abc"), ROWS)),
    "ordinal column": pd.Series(RNG.choice(["low", "medium", "high"], ROWS)),
    "boolean column": pd.Series(RNG.choice(["yes", "no"], ROWS)),
    "datetime column": DAYS,
    "dates in text": DAYS.dt.strftime("%d.%m.%Y"),
    "words": pd.Series([" ".join(RNG.choice(["garden", "small", "bright", "loud", "near", "station"], 7)) for _ in range(ROWS)]),
    "numbers in text": pd.Series([f"€ {v:.0f}" for v in RNG.normal(2000, 500, ROWS)]),
    'a "quoted" name': pd.Series(RNG.choice(list("abc"), ROWS)),
}


@pytest.mark.parametrize("name", WITH_GAPS)
def test_gaps_that_tell_something_have_a_remedy_for_every_role(name):
    rng = np.random.default_rng(0)
    y = np.where(rng.random(ROWS) < 0.5, "p", "q")
    values = WITH_GAPS[name].mask((y == "p") & (rng.random(ROWS) < 0.5))
    data = load(pd.DataFrame({"x": rng.normal(size=ROWS), name: values, "y": y}), target="y")
    split = holdout(data)
    known = profile(split)
    assert any(f.code == "MLW-E05" for f in known.findings.about(name).at_least("warning"))
    recipe = Recipe.suggest(known, data.findings)
    for model in ("logistic", "boosting"):
        fit(split, recipe, model)
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_no_finding_shows_how_numpy_writes_a_label():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=300), "y": rng.permutation([0] * 200 + [1] * 94 + [5] * 6)})
    data = load(frame, target="y")
    split = holdout(data)
    report = evaluate(fit(split, Recipe.suggest(profile(split), data.findings), "logistic"), split, open_test=True)
    said = [str(f) for noun in (data, split, report) for f in noun.findings]
    assert any("class 5 has 1 test row:" in text for text in said) and any(" of 5 " in text for text in said)
    assert not [text for text in said if "np." in text or " 1 rows" in text]


@pytest.mark.parametrize("wrong", ["split", "data", "frame", None])
def test_a_recipe_is_suggested_from_a_profile(wrong):
    data = load("sample:wine")
    nouns = {"split": holdout(data), "data": data, "frame": data.frame}
    with pytest.raises(BadType, match="suggested from a Profile"):
        Recipe.suggest(nouns.get(wrong))
    for findings in (None, [1]):
        with pytest.raises(BadType, match="findings must be those of a Dataset"):
            Recipe.suggest(profile(data), findings)
