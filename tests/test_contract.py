"""What a new table may do to a model: another currency, an empty column, infinities, names that are no text."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlwork.catalogue import make_model
from mlwork.collect import load
from mlwork.core import BadInput, sha256_file
from mlwork.model import load_model
from mlwork.preprocess import encode, impute, standardise_formats
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.train import fit

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"price": [f"${v:.2f}" for v in RNG.uniform(10, 90, 120)], "size": RNG.normal(50, 9, 120), "city": list("abcd") * 30})
TABLE = TABLE.assign(key=[f"k{i:03}" for i in range(120)], y=np.where(RNG.random(120) > 0.5, "yes", "no"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLWORK_LEDGER", str(tmp_path_factory.mktemp("ledger")))
        split = holdout(load(TABLE, target="y", roles={"key": "id"}))
        recipe = Recipe.of(split).add(standardise_formats("price", unit="$")).add(impute("numeric")).add(encode("categorical"))
        return fit(split, recipe, "logistic")


def codes(model, table, severity="warning"):
    return {f.code for f in model.check(table).at_least(severity)}


def test_another_currency_is_a_warning_and_no_silent_gap(model):
    assert codes(model, TABLE) == set()
    euros = TABLE.assign(price=TABLE.price.str.replace("$", "€"))
    (found,) = model.check(euros).at_least("warning")
    assert found.code == "MLW-T09" and "120 of 120" in found.seen and found.columns == ("price",)


@pytest.mark.parametrize("gone", [np.nan, None])
def test_a_column_that_is_missing_as_a_whole_is_a_warning(model, gone):
    assert codes(model, TABLE.assign(size=gone)) == {"MLW-T13"}
    assert codes(model, TABLE.assign(city=gone)) == {"MLW-T13"}


def test_infinities_are_read_as_missing_and_told(model):
    endless = TABLE.head(9).assign(size=[np.inf, -np.inf, 1, 2, 3, 4, 5, 6, 7])
    assert codes(model, endless) == {"MLW-T14"} and len(model.predict(endless)) == 9
    assert codes(model, endless.assign(size=["inf", "-Infinity", *"3456789"])) == {"MLW-T14"}
    assert model.predict(endless).equals(model.predict(endless.assign(size=endless["size"].replace([np.inf, -np.inf], np.nan))))


def test_target_and_id_are_known_columns(model):
    assert codes(model, TABLE, "info") == set()
    assert codes(model, TABLE.assign(colour="red"), "info") == {"MLW-T04"}


@pytest.mark.parametrize("names", [[0, 1, 2], [pd.Timestamp("2025-01-01"), pd.Timestamp("2025-01-02"), 7], [None, 1.5, ("a", 1)]])
def test_names_that_are_no_text_are_written_as_load_writes_them(names):
    columns = pd.Index(names, dtype=object, tupleize_cols=False)
    X = pd.DataFrame(RNG.normal(0, 1, (80, 3))).set_axis(columns, axis=1)
    table = pd.concat([X, pd.Series(np.where(RNG.random(80) > 0.5, "yes", "no"), name="y")], axis=1)
    table.columns = pd.Index([*names, "y"], dtype=object, tupleize_cols=False)
    model = fit(holdout(load(table, target="y")), model="logistic")
    assert len(model.predict(table)) == 80 and len(model.predict(table[names[:1] + names[1:]])) == 80


def sign(folder, name, content):
    "Change a file of a model and sign the folder anew."
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    manifest["sha256"][name] = sha256_file(folder / name)
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))


def refused(folder, words):
    with pytest.raises(BadInput, match=words) as told:
        load_model(folder)
    assert "Error" not in str(told.value)


@pytest.mark.parametrize("text", ["null", "[]", "{}", "1", "{", '{"features": 3}'])
@pytest.mark.parametrize("name", ["provenance.json", "profile.json", "recipe.json"])
def test_papers_of_another_shape_are_refused_in_one_line(model, name, text, tmp_path):
    folder = model.save(tmp_path / "m")
    sign(folder, name, text.encode())
    refused(folder, "the papers of the model")


@pytest.mark.parametrize("change", [{"features": ["size"]}, {"target": "size"}, {"classes": ["a", "b"]}, {"positive": "perhaps"}])
def test_papers_of_another_model_are_refused(model, change, tmp_path):
    folder = model.save(tmp_path / "m")
    papers = json.loads((folder / "provenance.json").read_text())
    sign(folder, "provenance.json", json.dumps(papers | change).encode())
    refused(folder, "belong together")


def test_parts_in_the_place_of_others_are_refused(model, tmp_path):
    other = fit(holdout(load("sample:wine")), model="logistic").save(tmp_path / "other")
    folder = model.save(tmp_path / "m")
    sign(folder, "model.skops", (other / "model.skops").read_bytes())
    refused(folder, "belong together")


def test_a_last_step_that_cannot_predict_or_never_learned_is_refused(model, tmp_path):
    import skops.io
    from sklearn.pipeline import Pipeline

    folder = model.save(tmp_path / "m")
    sign(folder, "model.skops", skops.io.dumps(model.pipeline[:-1]))
    refused(folder, "able to predict")
    fresh = Pipeline(
        [*model.pipeline.steps[:-1], ("model", make_model("ridge" if model.task == "regression" else "logistic", model.task, 90))]
    )
    sign(folder, "model.skops", skops.io.dumps(fresh))
    refused(folder, "belong together|like its training rows")


@pytest.mark.parametrize("text", ["null", "[1]", "{}", '{"sha256": null}', '{"sha256": 3}', "{"])
def test_a_bad_manifest_is_told_in_plain_words(model, text, tmp_path):
    folder = model.save(tmp_path / "m")
    (folder / "MANIFEST.json").write_text(text)
    refused(folder, "readable MANIFEST.json")


@pytest.mark.parametrize("version", ["9.9.9", "1.0", None, "new"])
def test_a_model_of_a_newer_mlwork_is_refused(model, version, tmp_path):
    folder = replace(model).save(tmp_path / "m")
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    (folder / "MANIFEST.json").write_text(json.dumps(manifest | {"mlwork": version}))
    refused(folder, "or older")
