"""A model's folder: whole or not at all, opened without trust, and the list of types that it may hold."""

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

import mlwork.features as F
import mlwork.preprocess as P
from mlwork.catalogue import CARDS, make_model
from mlwork.collect import load
from mlwork.core import BadInput, NotFound
from mlwork.model import FILES, TRUSTED_TYPES, check_trees, load_model, save_model, with_threshold
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.stages import STEPS
from mlwork.train import fit

RNG = np.random.default_rng(0)
ROWS = 90


def table(target):
    "A small table with every kind of column."
    return pd.DataFrame(
        {
            "area": np.where(np.arange(ROWS) % 9 == 0, np.nan, RNG.normal(60, 20, ROWS)),
            "rooms": np.where(np.arange(ROWS) % 11 == 0, np.nan, RNG.integers(1, 6, ROWS)),
            "size": [f"{n} m²" for n in RNG.integers(20, 90, ROWS)],
            "city": RNG.choice(["Aa", "Bb", "Cc"], ROWS),
            "grade": RNG.choice(["poor", "fair", "good"], ROWS),
            "sold": pd.date_range("2025-01-01", periods=ROWS).strftime("%d.%m.%Y"),
            "pets": RNG.choice(["yes", "no"], ROWS),
            "note": RNG.choice(["a quiet flat near the park", "new kitchen and a balcony", "no lift but a view"], ROWS),
            "y": target,
        }
    )


ROLES = {"area": "numeric", "rooms": "numeric", "size": "numeric", "city": "categorical", "grade": "ordinal"}
ROLES |= {"sold": "datetime", "pets": "boolean", "note": "text"}
TARGETS = {
    "binary": np.where(np.arange(ROWS) % 2, "yes", "no"),
    "multiclass": np.array(["a", "b", "c"])[np.arange(ROWS) % 3],
    "regression": RNG.normal(0, 1, ROWS),
}
READ = [P.standardise_formats("size"), P.standardise_formats("sold", kind="dates"), P.standardise_formats("pets", kind="booleans")]
FINISH = [
    F.dates("datetime"),
    F.text_features("text", words=5),
    P.encode(["categorical", "ordinal"]),
    P.impute("numeric"),
    P.scale("numeric"),
]
VARIANTS = [
    P.standardise_formats("city", kind="spellings", spellings={"Aa": "A"}),
    *(P.impute(["area", "rooms"], strategy=s) for s in ("mean", "median", "mode", "neighbours", "iterative")),
    P.impute(["area"], strategy="constant", value=0),
    *(P.drop_missing(["area"], new_rows=n) for n in ("impute", "refuse")),
    *(P.clip_outliers(["rooms"], method=m) for m in ("iqr", "zscore", "quantile")),
    *(P.drop_outliers(["rooms"], method=m) for m in ("iqr", "zscore", "quantile")),
    *(P.scale(["rooms"], method=m) for m in ("standard", "minmax", "robust", "power", "quantile")),
    *(P.encode(["city", "grade"], method=m) for m in ("onehot", "ordinal", "target", "frequency")),
    P.group_rare(["city"]),
    P.clean_text(["note"]),
    P.drop(["pets"]),
    P.transformer(["rooms"], path="sklearn.preprocessing.MaxAbsScaler"),
]


def split_of(task):
    data = load(table(TARGETS[task]), "y", task=task, roles=ROLES)
    return holdout(data, by="random")


def recipe_of(split, *steps):
    recipe = Recipe.of(split.train)
    for step in (*steps, *READ, *FINISH):
        recipe = recipe.add(step)
    return recipe


def every_pipeline():
    "A fitted pipeline for every model of the catalogue and every step with each of its methods."
    for task in TARGETS:
        split = split_of(task)
        recipe, X, y = recipe_of(split), split.train.X, split.train.y.to_numpy()
        for card in CARDS:
            if task in card.tasks:
                for rows in (len(y), 6000):
                    yield recipe.pipeline(make_model(card.name, task, rows)).fit(X, y)
    split = split_of("binary")
    for step in VARIANTS:
        for name in ("boosting", "logistic"):
            pipeline = recipe_of(split, step).pipeline(make_model(name, "binary", ROWS))
            keep = recipe_of(split, step).training_rows(split.train.X)
            yield pipeline.fit(split.train.X[keep], split.train.y[keep].to_numpy())


@pytest.mark.filterwarnings("ignore")  # tiny tables: some models do not converge, which is not the matter here
def test_the_list_of_trusted_types_is_what_catalogue_and_steps_need():
    needed = set()
    for pipeline in every_pipeline():
        needed |= set(skops.io.get_untrusted_types(data=skops.io.dumps(pipeline)))
    assert needed == set(TRUSTED_TYPES), (
        f"missing: {sorted(needed - set(TRUSTED_TYPES))}; not needed: {sorted(set(TRUSTED_TYPES) - needed)}"
    )
    assert list(TRUSTED_TYPES) == sorted(TRUSTED_TYPES)


def test_every_step_is_among_the_variants():
    tried = {type(s) for s in (*VARIANTS, *READ, *FINISH)}
    ours = {s for s in STEPS.values() if s.__module__ in ("mlwork.preprocess", "mlwork.features")}
    assert ours == tried, sorted(s.__name__ for s in ours ^ tried)


@pytest.fixture(scope="module", params=list(TARGETS))
def model(request, tmp_path_factory):
    os.environ["MLWORK_LEDGER"] = str(tmp_path_factory.mktemp("ledger"))
    split = split_of(request.param)
    return fit(split, recipe_of(split), "ridge" if request.param == "regression" else "logistic")


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    os.environ["MLWORK_LEDGER"] = str(tmp_path_factory.mktemp("ledger"))
    split = split_of("binary")
    return fit(split, recipe_of(split), "logistic")


@pytest.fixture
def folder(binary, tmp_path):
    return binary.save(tmp_path / "models" / "flats")


def test_a_model_comes_back_as_it_was(model, tmp_path):
    again, X = load_model(model.save(tmp_path / "m")), table(TARGETS["binary"])
    assert again.predict(X).equals(model.predict(X))
    if model.classes is not None:
        assert again.predict_proba(X).equals(model.predict_proba(X))
    for name in ("task", "target", "classes", "positive", "features", "unused", "recipe"):
        assert getattr(again, name) == getattr(model, name), name
    assert again.provenance["split_identity"] == model.provenance["split_identity"]
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == sorted([*FILES, "MANIFEST.json"])


def test_a_threshold_comes_back(binary, tmp_path):
    X, p = table(TARGETS["binary"]), 0.37
    again = load_model(with_threshold(binary, p).save(tmp_path / "m"))
    assert ((again.predict(X) == "yes") == (binary.predict_proba(X)["yes"] >= p)).all()
    assert with_threshold(again, 0.9).predict(X).eq("yes").sum() <= again.predict(X).eq("yes").sum()


@pytest.mark.parametrize("classes", [[0, 1], [False, True], [1.0, 2.0], [3, 1]])
def test_labels_keep_their_type(classes, tmp_path):
    frame = pd.DataFrame({"x": RNG.normal(size=60), "y": np.resize(classes, 60)})
    model = fit(holdout(load(frame, "y", task="binary", roles={"x": "numeric"})), model="logistic")
    again = load_model(model.save(tmp_path / "m"))
    assert again.classes == model.classes == sorted(classes) and again.positive == model.positive
    assert [type(c) for c in again.classes] == [type(c) for c in model.classes]


def change_manifest(folder, **changes):
    path = folder / "MANIFEST.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def replace_pipeline(folder, content):
    "Forge: another pipeline, and a manifest that agrees with it."
    (folder / "model.skops").write_bytes(content)
    hashes = json.loads((folder / "MANIFEST.json").read_text())["sha256"]
    change_manifest(folder, sha256=hashes | {"model.skops": hashlib.sha256(content).hexdigest()})


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_noticed(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BadInput, match=f"SHA-256 for {name}"):
        load_model(folder)


@pytest.mark.parametrize("name", [*FILES, "MANIFEST.json"])
def test_a_missing_file_is_noticed(folder, name):
    (folder / name).unlink()
    with pytest.raises(BadInput, match="complete|MANIFEST"):
        load_model(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"sha256": {}}', '"x"', "\x00"])
def test_an_unreadable_manifest_is_one_line(folder, text):
    (folder / "MANIFEST.json").write_text(text)
    with pytest.raises(BadInput, match="MANIFEST.json") as e:
        load_model(folder)
    assert "\n" not in str(e.value)


def test_other_versions_are_refused(folder):
    change_manifest(folder, version=2)
    with pytest.raises(BadInput, match="format version 1"):
        load_model(folder)
    change_manifest(folder, version=1, **{"scikit-learn": "1.5.2"})
    with pytest.raises(BadInput, match='pip install "scikit-learn==1.5.2"'):
        load_model(folder)


class Bomb:
    def __reduce__(self):
        return os.system, ("touch exploded",)


def test_a_pickle_is_never_opened(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(BadInput, match="must be a folder"):
        load_model(tmp_path / "model.pkl")
    replace_pipeline(folder, pickle.dumps(Bomb()))
    with pytest.raises(BadInput, match="skops"):
        load_model(folder)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "part, name",
    [
        (FunctionTransformer(os.system), "system"),
        (FunctionTransformer(subprocess.Popen), "subprocess.Popen"),
        (SelectKBest(np.load), "numpy.load"),
    ],
)
def test_a_type_off_the_list_is_refused_by_name(folder, part, name):
    replace_pipeline(folder, skops.io.dumps(Pipeline([("part", part)])))
    with pytest.raises(BadInput, match=f"fixed list only; got .*{name}"):
        load_model(folder)


def test_what_could_not_be_opened_is_not_saved(binary, tmp_path):
    strange = replace(binary, pipeline=Pipeline([("part", FunctionTransformer(os.system)), *binary.pipeline.steps]))
    with pytest.raises(BadInput, match="fixed list only; got .*system"):
        strange.save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_something_else_than_a_pipeline_is_refused(folder):
    replace_pipeline(folder, skops.io.dumps({"a": [1, 2]}))
    with pytest.raises(BadInput, match="must hold a Pipeline; got dict"):
        load_model(folder)


@pytest.mark.parametrize("forged", ["left", "feature_idx", "right"])
def test_a_forged_boosting_tree_is_refused(forged, tmp_path):
    frame = pd.DataFrame({"x": RNG.normal(size=200), "z": RNG.normal(size=200)}).assign(y=lambda d: np.where(d.x > 0, "yes", "no"))
    model = fit(holdout(load(frame, "y")), model="boosting")
    nodes = model.pipeline[-1]._predictors[0][0].nodes
    nodes[forged][nodes["is_leaf"] == 0] = 10**6
    with pytest.raises(BadInput, match="own nodes and columns"):
        load_model(model.save(tmp_path / "m"))


@pytest.mark.parametrize("forged, value", [("children_left", 10**6), ("children_right", 0), ("feature", 99), ("feature", -5)])
def test_a_forged_forest_is_refused(forged, value):
    X = RNG.normal(size=(200, 2))
    forest = RandomForestClassifier(3, random_state=0).fit(X, X[:, 0] > 0)
    check_trees(forest)
    getattr(forest.estimators_[1].tree_, forged)[0] = value
    with pytest.raises(BadInput, match="own nodes and columns"):
        check_trees(forest)


def test_only_a_models_folder_is_replaced(binary, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").write_bytes(b"sea")
    (tmp_path / "file").write_text("x")
    for path in ("photos", "file"):
        with pytest.raises(BadInput, match="new, empty or hold a model"):
            binary.save(tmp_path / path)
    assert (tmp_path / "photos" / "holiday.jpg").read_bytes() == b"sea"
    (tmp_path / "empty").mkdir()
    assert load_model(binary.save(tmp_path / "empty")).target == "y"


def test_nothing_there_is_said(tmp_path):
    with pytest.raises(NotFound, match="nothing there"):
        load_model(tmp_path / "nothing")


def test_a_full_disk_leaves_the_old_model(folder, binary, monkeypatch):
    before = {p.name: p.read_bytes() for p in folder.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="No space left"):
        save_model(binary, folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert sorted(p.name for p in folder.parent.iterdir()) == [folder.name]


@pytest.mark.parametrize("nth", range(0, 14))
def test_a_killed_save_leaves_the_old_or_the_new(folder, binary, monkeypatch, nth):
    "The process ends at the nth rename: afterwards a whole model can be opened, and a later save tidies up."
    real, count = os.replace, iter(range(100))

    class Killed(BaseException):
        pass

    def rename(a, b):
        if next(count) == nth:
            raise Killed
        real(a, b)

    monkeypatch.setattr(os, "replace", rename)
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)  # nothing is tidied by a process that is gone
    try:
        binary.save(folder)
    except Killed:
        pass
    monkeypatch.undo()
    assert load_model(folder).target == "y"
    binary.save(folder)
    assert sorted(p.name for p in folder.parent.iterdir()) == [folder.name]


def test_a_model_opens_in_another_process(folder, tmp_path):
    table(TARGETS["binary"]).drop(columns="y").to_parquet(tmp_path / "t.parquet")
    code = f"""import pandas as pd; from mlwork.model import load_model
print(load_model({str(folder)!r}).predict(pd.read_parquet({str(tmp_path / "t.parquet")!r})).shape[0])"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == str(ROWS), done.stderr
