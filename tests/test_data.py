"""The data sets: written again byte for byte, packaged as they are, and flawed exactly as the truth file says."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

ROOT = Path(__file__).resolve().parent.parent
DATA, SAMPLES = ROOT / "data", ROOT / "mlwork" / "samples"
NAMES = ["rentals", "tumours", "wine", "diabetes"]
KEYS = "name title source licence retrieved_at rows columns sha256 target task roles group time known_flaws description".split()
FORMATS = {"ISO": r"\d{4}-\d\d-\d\d", "dots": r"\d\d\.\d\d\.\d{4}", "words": r"\d{1,2} [A-Z][a-z]{2} \d{4}"}


@pytest.fixture(scope="module")
def raw():
    "Rentals with every cell as the text in the file."
    return pd.read_csv(DATA / "rentals.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def day(raw):
    "The day of each listing, read without mlwork."
    ways = [pd.to_datetime(raw.listed_on, format=f, errors="coerce") for f in ("%Y-%m-%d", "%d.%m.%Y", "%d %b %Y")]
    return ways[0].fillna(ways[1]).fillna(ways[2])


@pytest.fixture(scope="module")
def clean(raw, day):
    "Rentals as numbers: areas in square metres, slips and spellings mended, the leaks still there."
    number = raw.area.str.extract(r"^(\d+)")[0].astype(float)
    feet = raw.area.str.contains("sq ft") | (number > 300)
    out = raw.assign(area=number.where(~feet, number / 10.7639), month=day.dt.month, day=(day - day.min()).dt.days)
    numeric = ["floor", "rooms", "year_built", "energy_kwh", "distance_center_km", "photos", "deposit_months"]
    for column in [*numeric, "price", "price_per_m2", "days_on_market", "bonus_eur"]:
        out[column] = pd.to_numeric(raw[column], errors="coerce")
    out["city"] = out.city.replace({"Port Emile": "Port Émile", "PORT ÉMILE": "Port Émile"})
    return out


@pytest.fixture(scope="module")
def yes(raw):
    return (raw.let_within_week == "yes").to_numpy().astype(int)


@pytest.fixture(scope="module")
def truth():
    return json.loads((DATA / "rentals.truth.json").read_text(encoding="utf-8"))


def planted(truth, flaw, column=None):
    "The one entry of this flaw (and column)."
    (entry,) = [e for e in truth if e["flaw"] == flaw and (column is None or column in e["columns"])]
    return entry


def positions(mask):
    return np.flatnonzero(np.asarray(mask)).tolist()


# ---------------------------------------------------------------- files and cards
def test_written_again_byte_for_byte(tmp_path):
    for script in ("make_rentals.py", "make_samples.py"):
        subprocess.run([sys.executable, DATA / script, "--out", tmp_path], check=True)
    again = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert len(again) == 2 * len(NAMES) + 1
    assert [str(p) for p in again if (tmp_path / p).read_bytes() != (DATA / p).read_bytes()] == []


def test_packaged_copies_are_equal_and_small():
    assert {p.name for p in SAMPLES.iterdir()} == {f"{n}{end}" for n in NAMES for end in (".csv", ".json")}
    for name in NAMES:
        assert (SAMPLES / f"{name}.csv").read_bytes() == (DATA / f"{name}.csv").read_bytes()
        assert (SAMPLES / f"{name}.json").read_bytes() == (DATA / "cards" / f"{name}.json").read_bytes()
    assert sum(p.stat().st_size for p in SAMPLES.iterdir()) < 2_000_000


@pytest.mark.parametrize("name", NAMES)
def test_card_is_right(name):
    card = json.loads((DATA / "cards" / f"{name}.json").read_text(encoding="utf-8"))
    content = (DATA / f"{name}.csv").read_bytes()
    table = pd.read_csv(DATA / f"{name}.csv")
    assert list(card) == KEYS and card["name"] == name
    assert (card["rows"], card["columns"]) == table.shape and card["sha256"] == hashlib.sha256(content).hexdigest()
    columns = [card["target"], *card["roles"], *filter(None, (card["group"], card["time"]))]
    assert set(columns) <= set(table) and card["task"] in ("binary", "multiclass", "regression")
    assert all(card[k] for k in ("title", "source", "licence", "retrieved_at", "known_flaws", "description"))
    assert content.decode("utf-8").startswith(",".join(table.columns)) and b"\r" not in content


@pytest.mark.parametrize("name", NAMES)
def test_readme_names_the_set(name):
    card = json.loads((DATA / "cards" / f"{name}.json").read_text(encoding="utf-8"))
    assert f"| {name} | {card['rows']:,} × {card['columns']} | `{card['target']}`" in (DATA / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", ["make_rentals.py", "make_samples.py"])
def test_scripts_explain_themselves(script):
    done = subprocess.run([sys.executable, DATA / script, "--help"], capture_output=True, text=True, check=True)
    assert "--out DIR" in done.stdout


@pytest.mark.parametrize("name, loader", [("tumours", "load_breast_cancer"), ("wine", "load_wine"), ("diabetes", "load_diabetes")])
def test_real_sets_are_those_of_scikit_learn(name, loader):
    from sklearn import datasets

    table, source = pd.read_csv(DATA / f"{name}.csv"), getattr(datasets, loader)(**({"scaled": False} if name == "diabetes" else {}))
    assert np.array_equal(table.iloc[:, :-1].to_numpy(), source.data)
    assert pd.crosstab(table.iloc[:, -1], source.target).gt(0).sum(axis=1).eq(1).all()  # one code a label


# ---------------------------------------------------------------- the clean world of rentals
def test_rentals_is_as_large_as_promised(raw, day, yes):
    assert len(raw) >= 6000 and day.notna().all()
    assert (str(day.min().date()), str(day.max().date())) == ("2024-01-01", "2025-06-30")
    assert 0.07 < yes.mean() < 0.09
    assert raw.groupby("building").size().median() >= 5
    assert (raw.groupby("building")[["district", "distance_center_km"]].nunique() == 1).all(axis=None)
    assert raw.building.nunique() > 255 and raw.district.nunique() > 40  # high cardinality


def test_some_buildings_of_the_last_months_were_never_seen_before(raw, day):
    late = day >= "2025-04-01"
    unseen = ~raw.building[late].isin(raw.building[~late])
    assert 0.10 < unseen.mean() < 0.40


def test_names_are_not_ascii_and_words_differ(raw):
    assert not raw.city.str.isascii().all() and not raw.agent.str.isascii().all() and not raw.description.str.isascii().all()
    assert raw.description.nunique() > 0.5 * len(raw)


# ---------------------------------------------------------------- every planted flaw
def test_truth_entries_are_complete(truth, raw):
    for entry in truth:
        assert list(entry) == ["flaw", "columns", "rows", "detail", "target", "seen_by"]
        assert set(entry["columns"]) <= set(raw) and entry["target"] in (None, "let_within_week", "price")
        assert entry["seen_by"] in ("collect", "split", "explore", "evaluate") and any(c.isalpha() for c in entry["detail"])


def test_missing_at_random(truth, raw, yes, clean):
    lost = raw.floor.isin(["", "?", "-", "NA"])
    assert lost.sum() == planted(truth, "missing_at_random")["rows"]
    assert abs(yes[lost].mean() - yes[~lost].mean()) < 0.03 and abs(clean.price[lost].mean() / clean.price[~lost].mean() - 1) < 0.05
    assert all(f"{way!r} {(raw.floor == way).sum()}" in planted(truth, "missing_spellings")["detail"] for way in ("", "?", "-", "NA"))


def test_missing_for_a_reason(truth, clean, yes):
    lost, old = clean.energy_kwh.isna(), clean.year_built < 1960
    assert lost.sum() == planted(truth, "missing_for_a_reason")["rows"]
    assert lost[old].mean() > 8 * lost[~old].mean()
    assert yes[lost].mean() < yes[~lost].mean() / 3


@pytest.mark.parametrize("column, low, high", [("year_built", 1800, 2025), ("floor", 0, 30), ("deposit_months", 0, 6)])
def test_outliers(truth, clean, column, low, high):
    wrong = clean[column].notna() & ~clean[column].between(low, high)
    assert positions(wrong) == planted(truth, "outliers", column)["rows"] and wrong.sum() >= 8


def test_numbers_with_units(truth, raw):
    assert raw.area.str.fullmatch(r"\d+( m²| m2| sq ft)?").all()
    assert (~raw.area.str.fullmatch(r"\d+")).sum() == planted(truth, "numbers_with_units")["rows"]
    assert raw.area.str.endswith("sq ft").sum() == planted(truth, "unit_mix_up")["rows"] > 200


def test_square_feet_without_saying_so(truth, raw, clean):
    rows = planted(truth, "unit_mix_up_unsaid")["rows"]
    bare = raw.area.str.fullmatch(r"\d+")
    assert positions(bare & (raw.area.where(bare, "0").astype(int) > 300)) == rows and len(rows) >= 40
    by_rent = clean.price / clean.price_per_m2  # the portal divided by the true area
    assert (by_rent / clean.area - 1).abs().max() < 0.05
    assert raw.agent[rows].unique().tolist() == ["Harbour & Howe"]


def test_city_spelled_three_ways(truth, raw):
    counts = raw.city.value_counts()[["Port Émile", "Port Emile", "PORT ÉMILE"]]
    entry = planted(truth, "spelling_variants")
    assert all(f"{way!r} {count}" in entry["detail"] for way, count in counts.items())
    assert counts.iloc[1:].sum() == entry["rows"] and raw.city.nunique() == 8 + 2


def test_dates_in_three_formats(truth, raw):
    counts = {name: raw.listed_on.str.fullmatch(pattern).sum() for name, pattern in FORMATS.items()}
    assert sum(counts.values()) == len(raw) and min(counts.values()) > 500
    assert counts["dots"] + counts["words"] == planted(truth, "mixed_dates")["rows"]
    assert f"{counts['words']} like 7 Mar" in planted(truth, "mixed_dates")["detail"]


def test_duplicates(truth, raw):
    exact = raw.duplicated()
    assert positions(exact) == planted(truth, "exact_duplicates")["rows"]
    rest = raw[~exact]
    same = [c for c in raw if c not in planted(truth, "near_duplicates")["columns"]]
    assert rest.duplicated(same).sum() == planted(truth, "near_duplicates")["rows"] and rest.listing_id.is_unique


def test_constant_and_id(truth, raw):
    assert raw[planted(truth, "constant")["columns"]].nunique().eq(1).all()
    (column,) = planted(truth, "id")["columns"]
    assert raw[column].nunique() == len(raw) - 60


def test_leaks(truth, clean, yes):
    known = clean.days_on_market.notna()
    assert ((clean.days_on_market[known] <= 7) == yes[known]).all() and known.sum() == planted(truth, "leak_after_the_event")["rows"]
    assert roc_auc_score(yes[known], -clean.days_on_market[known]) == 1
    bonus = planted(truth, "leak_derived_from_the_target", "bonus_eur")
    assert (clean.bonus_eur > 0).sum() == bonus["rows"] and roc_auc_score(yes, clean.bonus_eur) > 0.95
    assert np.corrcoef(np.log(clean.price_per_m2 * clean.area), np.log(clean.price))[0, 1] > 0.999


def test_shift_in_the_last_three_months(truth, clean, day, yes):
    late = (day >= "2025-04-01").to_numpy()
    assert late.sum() == planted(truth, "shift")["rows"]
    assert 1.08 < clean.price[late].mean() / clean.price[~late].mean() < 1.17
    pump, new, furnished = clean.heating == "heat pump", clean.agent == "Rentio", (clean.furnished == "yes").to_numpy()
    assert pump[late].mean() > 2.5 * pump[~late].mean() and new[late].mean() > 0.15 and not new[~late].any()
    pull = [yes[part & furnished].mean() / yes[part & ~furnished].mean() for part in (~late, late)]
    assert pull[0] > 1.5 > pull[1]


def test_small_city_is_small(truth, clean, yes):
    small = clean.city == "Quellfurt"
    assert small.sum() == planted(truth, "small_noisy_city")["rows"] == clean.city.value_counts().min()
    assert 0.15 < yes[small].mean() < 0.3


# ---------------------------------------------------------------- what can be learned
CATEGORIES = ["city", "district", "building", "heating", "agent", "condition", "furnished", "pets_allowed"]
AFTER = ["bonus_eur", "days_on_market"]


def boosting():
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    model = HistGradientBoostingClassifier(learning_rate=0.1, max_iter=50, max_leaf_nodes=15, l2_regularization=1.0, random_state=0)
    return make_pipeline(make_column_transformer((codes, CATEGORIES), remainder="passthrough"), model)


@pytest.fixture(scope="module")
def features(clean):
    words = clean.description.str.get_dummies(", ").filter(regex="balcony|quiet|kitchen|road|bar|tram|repairs|paint")
    table = clean.drop(columns=["listing_id", "listed_on", "country", "description", "price", "let_within_week"])
    return table.join(words.loc[:, words.mean() > 0.01].astype(int))


def auc_by_time(table, yes, late):
    model = boosting().fit(table[~late], yes[~late])
    return roc_auc_score(yes[late], model.predict_proba(table[late])[:, 1])


def test_honest_leaky_and_naive_scores(features, yes, day, clean):
    late = (day >= "2025-04-01").to_numpy()
    honest = features.drop(columns=AFTER)
    assert 0.72 < auc_by_time(honest, yes, late) < 0.84
    assert auc_by_time(features, yes, late) > 0.98

    def validated(folds, groups=None):
        return cross_val_predict(boosting(), honest, yes, cv=folds, groups=groups, method="predict_proba")[:, 1]

    naive = validated(StratifiedKFold(3, shuffle=True, random_state=0))
    right = validated(GroupKFold(3, shuffle=True, random_state=0), clean.building)
    assert roc_auc_score(yes, naive) - roc_auc_score(yes, right) > 0.03
    small, errors = (clean.city == "Quellfurt").to_numpy(), (right - yes) ** 2
    by_city = pd.Series(errors).groupby(clean.city).mean()
    assert by_city.idxmax() == "Quellfurt" and errors[small].mean() > 1.7 * by_city.drop("Quellfurt").max()
