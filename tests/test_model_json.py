"""The format of model.json: the schema takes every bundle and refuses broken ones; the schema, the page and the readers know the same."""

import copy
import json
import re

import pytest
from houses import ROOT
from jsonschema import Draft202012Validator
from portable_cases import CASES, made

from mlwork.collect import load
from mlwork.deploy import bundle
from mlwork.follow import OPERATIONS
from mlwork.portable import READS_TEXT
from mlwork.split import holdout
from mlwork.train import fit

EVERY = {"op", "in", "out", "n", "kind"}  # keys of every operation
SAMPLES = [("rentals", "let_within_week", "logistic"), ("rentals", "price", "boosting"), ("tumours", None, "forest"), ("wine", None, "svm")]


@pytest.fixture(scope="module")
def schema():
    return json.loads((ROOT / "mlwork" / "templates" / "model.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sections():
    "The page, {heading: what stands under it}."
    page = (ROOT / "docs" / "model_json.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^#{2,3} (.+?)\n(.*?)(?=^#{2,3} |\Z)", page, re.MULTILINE | re.DOTALL))


def complaints(schema, spec):
    return [f"{list(e.absolute_path)}: {e.message[:200]}" for e in Draft202012Validator(schema).iter_errors(spec)]


def places_are_in_order(spec):
    "Tell whether each place is within bounds, written once, and read only after."
    size, written = {True: spec["texts"], False: spec["numbers"]}, {True: set(), False: set()}
    for op in spec["ops"]:
        if not written[op["op"] in READS_TEXT].issuperset(op["in"]):
            return False
        text, new = op["kind"] == "text", set(range(op["out"], op["out"] + op["n"]))
        if new & written[text] or (new and max(new) >= size[text]):
            return False
        written[text] |= new
    return written[False].issuperset(spec["answer"]["scores"])


def test_the_schema_is_one(schema):
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("draft/2020-12/schema")


@pytest.mark.parametrize("task, model, options", CASES, ids=lambda v: v if isinstance(v, str) else type(v).__name__)
def test_every_bundle_is_as_the_schema_and_the_page_say(task, model, options, schema):
    spec = bundle(made(task, model, options)).spec
    assert complaints(schema, spec) == []
    assert places_are_in_order(spec)


@pytest.mark.parametrize("sample, target, model", SAMPLES)
def test_bundles_of_the_samples_are_as_well(sample, target, model, schema):
    data = load(f"sample:{sample}", target=target) if target else load(f"sample:{sample}")
    spec = bundle(fit(holdout(data), model=model)).spec
    assert complaints(schema, spec) == []
    assert places_are_in_order(spec)


def test_every_operation_has_a_definition_and_a_section(schema, sections):
    told = {"cell", *OPERATIONS}
    defined = {name for name, d in schema["$defs"].items() if "op" in d.get("properties", {})}
    asked = {part["if"]["properties"]["op"]["const"]: part["then"]["$ref"] for part in schema["properties"]["ops"]["items"]["allOf"]}
    assert told == defined == set(schema["properties"]["ops"]["items"]["properties"]["op"]["enum"])
    assert asked == {name: f"#/$defs/{name}" for name in told}
    assert told <= set(sections)
    for name in told:
        definition = schema["$defs"][name]
        assert definition["properties"]["op"] == {"const": name} and definition["additionalProperties"] is False
        assert EVERY <= set(definition["required"]) <= set(definition["properties"])
        assert not [key for key in set(definition["properties"]) - EVERY if f"`{key}`" not in sections[name]], name


def test_the_page_knows_all_other_keys(schema, sections):
    for heading, keys in {
        "The file": schema["properties"],
        "Columns": schema["$defs"]["column"]["properties"],
        "The answer": schema["$defs"]["classification"]["properties"] | schema["$defs"]["regression"]["properties"],
        "Operations": dict.fromkeys(EVERY),
    }.items():
        assert not [key for key in keys if f"`{key}`" not in sections[heading]], heading
    read_as_text = re.search(r"places of texts for (.*?); places of numbers", sections["Operations"])[1]
    assert set(re.findall(r"`(\w+)`", read_as_text)) == set(READS_TEXT)


def broken(spec):
    "Break one thing at a time: a key gone, another type, a key too many; gives (what, spec)."

    def parts():
        yield (), spec
        yield ("answer",), spec["answer"]
        yield ("columns", 0), spec["columns"][0]
        yield from ((("ops", i), op) for i, op in enumerate(spec["ops"]))

    for path, part in parts():
        for key in [*part, "extra"]:
            for value in ("gone", [{}]):
                other = copy.deepcopy(spec)
                at = other
                for step in path:
                    at = at[step]
                at.update({key: value})
                if value == "gone":
                    del at[key]
                yield (*path, key, value), other


MAY = {"columns": {"unit", "min", "max", "levels", "more_levels", "offered", "usual"}, "ops": {"other", "votes"}}  # keys that may be absent


def test_every_broken_file_is_caught(schema):
    spec = bundle(made("binary", "logistic", {})).spec
    first = {op["op"]: i for i, op in reversed(list(enumerate(spec["ops"])))}
    spec = spec | {"ops": [spec["ops"][i] for i in sorted(first.values())]}
    assert complaints(schema, spec) == []
    tried = 0
    for (*path, key, value), other in broken(spec):
        optional = MAY.get(path[0], ()) if path else ()
        allowed = key in ("extra", *optional) if value == "gone" else path == ["columns", 0] and key == "extra"
        assert (complaints(schema, other) == []) == allowed, (path, key, value)
        tried += 1
    assert tried > 200


@pytest.mark.parametrize("value", ["unknown", "cells", "", None])
def test_an_unknown_operation_is_caught(value, schema):
    spec = copy.deepcopy(bundle(made("binary", "baseline", {})).spec)
    spec["ops"][-1]["op"] = value
    assert complaints(schema, spec)


def test_a_power_belongs_to_its_bend(schema):
    layer = {"op": "layer", "in": [0], "out": 1, "n": 1, "kind": "number", "weights": [[1.0]], "bias": [0.0], "bend": "power"}
    spec = bundle(made("binary", "baseline", {})).spec
    assert complaints(schema, spec | {"ops": [layer]})
    assert not complaints(schema, spec | {"ops": [layer | {"power": 3}]})
    assert complaints(schema, spec | {"ops": [layer | {"power": 3, "bend": "tanh"}]})
