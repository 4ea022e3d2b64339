"""The web service as others meet it: a process of its own, asked over a socket, by the careless and the hostile as well."""

import asyncio
import gzip
import io
import json
import random
import re
import resource
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import httpx
import numpy as np
import pandas as pd
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from needs import needs
from web_server import COMMAND, client, model_of, saved, served, soon, split_of

from mlwork.collect import load
from mlwork.core import atomic_write
from mlwork.deploy.bundle import _offered, columns_of
from mlwork.deploy.golden import golden_rows
from mlwork.deploy.prediction_log import read_log
from mlwork.deploy.requests import Limits, doubts_of, example_row, rows_of_csv
from mlwork.deploy.served import Pointer, open_served
from mlwork.deploy.web import create_app
from mlwork.evaluate import evaluate
from mlwork.sources import read_table
from mlwork.split import holdout
from mlwork.train import fit

LIMITS = ("--limit", "body=200000", "--limit", "rows=500", "--limit", "waiting=1", "--limit", "seconds=3", "--limit", "connections=40")
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    for name, seed in (("one", 1), ("two", 2)):
        saved(folder / name, seed=seed)
        open_served(folder / name)  # proved once, and not again by each server
    return folder


@pytest.fixture(scope="module")
def server(place):
    with served(place / "one", "--log", place / "log.db", *LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def flat():
    return example_row(model_of("let_within_week", "logistic"))


@pytest.fixture
def asked(server):
    with client(server) as http:
        yield http


def frame_of(rows):
    return pd.DataFrame(rows).astype(object)


def test_answers_are_those_of_the_model_and_in_the_log(asked, flat, place):
    model = model_of("let_within_week", "logistic")
    rows = [flat, flat | {"area": "54 m²", "rooms": 2}, flat | {"city": None}]
    answers = asked.post("/predict", json={"rows": rows}).json()
    chances = model.predict_proba(frame_of(rows))
    assert [a["prediction"] for a in answers["answers"]] == model.predict(frame_of(rows)).tolist()
    assert np.allclose([list(a["probabilities"].values()) for a in answers["answers"]], chances, rtol=0, atol=1e-12)
    kept = read_log(place / "log.db").set_index("id")
    for row, answer in zip(rows, answers["answers"], strict=True):
        assert kept.loc[answer["id"], "row"] == row
        assert kept.loc[answer["id"], "answer"] == answer and kept.loc[answer["id"], "version"] == answers["version"]


def test_three_formats_give_the_same(asked, flat):
    rows = [{k: None if v is None else str(v) for k, v in (flat | {"rooms": i, "area": f"{30 + i} m²"}).items()} for i in range(1, 40)]
    packed = io.BytesIO()
    pd.DataFrame(rows).to_parquet(packed)
    bodies = {
        "application/json": json.dumps({"rows": rows}),
        "text/csv; charset=utf-8": pd.DataFrame(rows).to_csv(index=False),
        "application/vnd.apache.parquet": packed.getvalue(),
    }
    found = [asked.post("/predict", content=b, headers={"content-type": k}).raise_for_status().json() for k, b in bodies.items()]
    without = [[{k: v for k, v in a.items() if k != "id"} for a in one["answers"]] for one in found]
    assert without[0] == without[1] == without[2] and len(without[0]) == 39


def german_table(rows=300):
    rng = np.random.default_rng(0)
    size = rng.uniform(20, 200, rows).round(1)
    return pd.DataFrame(
        {
            "Straße": rng.choice(["Am Bächle", "Königsallee", "?"], rows),
            "Fläche in m²": [f"{v:.1f}".replace(".", ",") for v in size],
            "Größe": [f"{30 * v:,.1f}".translate(str.maketrans(",.", ".,")) for v in size],
            "Temperatur": [f"{v:.2f}".replace(".", ",") if v > -8 else "n/a" for v in rng.normal(5, 8, rows)],
            "Alter": rng.integers(1, 90, rows).astype(str),
            "gemessen am": [f"{d:02}.0{m}.2024" for d, m in zip(rng.integers(1, 28, rows), rng.integers(1, 9, rows), strict=True)],
            "Zustand": np.where(size + rng.normal(0, 20, rows) > 100, "gut", "schlecht"),
        }
    )


def test_the_file_of_training_can_be_asked_of_the_model(place):
    german_table().to_csv(place / "anlagen.csv", sep=";", index=False)
    data = load(place / "anlagen.csv", target="Zustand")
    assert data.frame["Fläche in m²"].dtype == "float64" and data.frame["Größe"].dtype == "str"
    model = fit(holdout(data), model="logistic")
    model.save(place / "german")
    wanted = model.predict_proba(read_table(place / "anlagen.csv").frame)
    with served(place / "german", "--log", place / "german.db") as server, client(server) as http:
        for text in ((place / "anlagen.csv").read_text(), "\n\n" + german_table().to_csv(sep="\t", index=False)):
            answers = http.post("/predict", content=text, headers={"content-type": "text/csv"}).raise_for_status().json()["answers"]
            found = [list(a["probabilities"].values()) for a in answers]
            assert np.allclose(found, wanted, rtol=0, atol=1e-12)
            assert {w["code"] for a in answers for w in a["warnings"]} <= {"MLW-T08"}, "some lie outside of the rows to train on"
        cells = german_table(5).drop(columns="Temperatur").assign(Alter=["7", "attic", "3", "12.5", "1.234"])
        text = cells.assign(Temperatur=["-0,5", "1,5", "1.000,25", "k.A.", "-"]).to_csv(sep=";", index=False)
        answers = http.post("/predict", content=text, headers={"content-type": "text/csv"}).json()["answers"]
        assert [a["prediction"] is None for a in answers] == [False, True, False, True, False]
    kept = list(read_log(place / "german.db")["row"])
    assert kept[0]["Größe"] == german_table()["Größe"][0] and isinstance(kept[0]["Fläche in m²"], float)
    assert kept[-5]["Temperatur"] == -0.5 and kept[-3]["Temperatur"] == 1000.25 and kept[-1]["Alter"] == 1234


def test_a_table_is_read_with_its_own_mark_whatever_the_mark_of_training_was():
    about = {"role": "numeric", "optional": False}
    columns = [
        about | {"name": "a", "kind": "number"},
        about | {"name": "b", "kind": "text", "decimal": ","},
        {"name": "c", "kind": "text", "optional": False},
    ]
    for table, wanted in [
        ("a,b,c\n1.5,3061.1,2.5\n", {"a": "1.5", "b": 3061.1, "c": "2.5"}),
        ("a;b;c\n1,5;3.061,1;2,5\n", {"a": 1.5, "b": "3.061,1", "c": "2,5"}),
        ("a,b,c\n1.5,3061.1 kg,\n", {"a": "1.5", "b": 3061.1, "c": None}),
        ("a;b;c\n15;3.061;x\n", {"a": "15", "b": "3.061", "c": "x"}),
    ]:
        assert rows_of_csv(table.encode(), columns, Limits()) == [wanted]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_texts_of_a_table_stay_as_they_are(asked, flat, delimiter, place):
    texts = ['a "word"; two, three | four\tfive', "3,50", "1.234,5", " 07 ", "null and void"]
    rows = [flat | {"description": text, "rooms": 2.5} for text in texts]
    table = pd.DataFrame(rows).to_csv(sep=delimiter, decimal="," if delimiter == ";" else ".", index=False)
    answers = asked.post("/predict", content=table, headers={"content-type": "text/csv"}).raise_for_status().json()["answers"]
    kept = read_log(place / "log.db").set_index("id")["row"]
    assert [kept[a["id"]]["description"] for a in answers] == texts
    assert {float(kept[a["id"]]["rooms"]) for a in answers} == {2.5}


@pytest.mark.parametrize("body", [b"\n" * 199_000, b"," * 199_000, b'"' * 199_000, b"a,b\n" * 49_000, b", ;\t|^~ :" * 22_000])
def test_odd_tables_take_no_time(asked, body):
    began = time.monotonic()
    assert asked.post("/predict", content=body, headers={"content-type": "text/csv"}).status_code == 422
    assert time.monotonic() - began < 2


def test_a_date_outside_of_training_is_said(asked, flat):
    dates = {"2031-01-01": "MLW-T08", "1 May 1999": "MLW-T08", "99.99.2026": "MLW-T09", flat["listed_on"]: None, "NaT": None}
    answers = asked.post("/predict", json={"rows": [flat | {"listed_on": d} for d in dates]}).json()["answers"]
    said = [[w["code"] for w in a["warnings"] if w["column"] == "listed_on"] for a in answers]
    assert said == [[code] if code else [] for code in dates.values()]
    assert "2031-01-01 lies outside of 2024-01-01 to" in answers[0]["warnings"][0]["message"]
    model = model_of("let_within_week", "logistic")
    ends = {k: model.profile.columns["listed_on"][k] for k in ("min", "max")}
    for date, code in (dates | {ends["min"]: None, ends["max"]: None, f"{ends['max']} 00:00:01": "MLW-T08"}).items():
        found = [f.code for f in model.check(frame_of([flat | {"listed_on": date}])) if f.code in ("MLW-T08", "MLW-T09")]
        assert found == [d["code"] for d in doubts_of(model).of(flat | {"listed_on": date})] == ([code] if code else []), date


def test_a_form_offers_one_spelling_and_all_may_be_asked(asked, flat):
    (city,) = [c for c in asked.get("/schema").json()["columns"] if c["name"] == "city"]
    assert "Port Émile" in city["offered"] and not {"Port Emile", "PORT ÉMILE"} & set(city["offered"])
    assert set(city["levels"]) - set(city["offered"]) == {"Port Emile", "PORT ÉMILE"}
    towns = ("Port Émile", "Port Emile", "PORT ÉMILE")
    answers = asked.post("/predict", json={"rows": [flat | {"city": town} for town in towns]}).json()["answers"]
    assert len({a["probabilities"]["yes"] for a in answers}) == 1 and not any(a["warnings"] for a in answers)


def test_the_spelling_of_most_rows_is_offered():
    assert _offered([["a", 5], ["A", 7], ["b", 3], ["B", 1]], {"a": "α", "A": "α", "B": "b"}) == ["A", "b"]
    assert _offered([["a", 5], ["b", 3]], {"c": "a"}) is None


def test_parquet_of_numbers_and_dates(asked, flat):
    table = pd.DataFrame([flat | {"listed_on": pd.Timestamp("2025-03-07"), "floor": np.nan}])
    packed = io.BytesIO()
    table.to_parquet(packed)
    answer = asked.post("/predict", content=packed.getvalue(), headers={"content-type": "application/vnd.apache.parquet"})
    assert answer.status_code == 200, answer.text


def test_a_refused_row_does_not_spoil_the_others(asked, flat):
    answers = asked.post("/predict", json={"rows": [flat, flat | {"floor": "attic"}]})
    first, second = answers.json()["answers"]
    assert answers.status_code == 200 and first["prediction"] is not None
    assert second["prediction"] is None and "attic" in second["error"]
    assert asked.post("/predict", json={"rows": [flat | {"floor": "attic"}]}).status_code == 422


def test_warnings_are_those_of_the_contract(flat):
    model = model_of("let_within_week", "logistic")
    doubts, kinds = doubts_of(model), ("MLW-T07", "MLW-T08", "MLW-T09", "MLW-T14")
    tried = 0
    for row in random.Random(0).sample(golden_rows(_Whole(model)), 150):
        checked = model.checked(frame_of([row]).infer_objects())
        if checked.frame is None:
            continue
        wanted = {(c, f.code) for f in checked.findings if f.code in kinds for c in f.columns if c not in model.unused}
        found = {(d["column"], d["code"]) for d in doubts.of(row)}
        assert found == wanted, {c: row[c] for c, _ in found ^ wanted}
        tried += 1
    assert tried > 100


class _Whole:
    "What `golden_rows` needs of a bundle."

    def __init__(self, model):
        self.model, self.columns, self.spec = model, columns_of(model), {"ops": []}


def test_a_regression_that_was_evaluated_says_how_far_it_may_be_off(place):
    model = evaluate(model_of("price", "ridge"), split_of("price")).model
    model.save(place / "evaluated")
    with served(place / "evaluated", "--log", "", "--engine", "scikit-learn") as server, client(server) as http:
        row = example_row(model)
        answer = http.post("/predict", json={"rows": [row]}).raise_for_status().json()["answers"][0]
    known, said = model.metrics["interval"], answer["interval"]
    assert said["level"] == 0.9 and said["low"] < answer["prediction"] < said["high"]
    assert said["high"] - answer["prediction"] == pytest.approx(known["above"])
    assert answer["prediction"] - said["low"] == pytest.approx(known["below"])


def test_a_regression_that_was_not_says_nothing_of_it(place, flat):
    saved(place / "price", "price", "ridge")
    with served(place / "price", "--log", "") as server, client(server) as http:
        row = example_row(model_of("price", "ridge"))
        answer = http.post("/predict", json={"rows": [row]}).raise_for_status().json()["answers"][0]
        assert "interval" not in answer and isinstance(answer["prediction"], float)
        why = http.post("/explain", json={"rows": [row]}).raise_for_status().json()
        assert why["label"] is None and {p["column"] for p in why["parts"]} <= set(row)


def test_what_it_says_of_itself(asked, flat, server):
    assert asked.get("/health").json() == {"status": "alive"}
    assert asked.get("/ready").json()["ready"]
    version = asked.get("/version").json()
    assert re.fullmatch("[0-9a-f]{12}", version["version"]) and version["target"] == "let_within_week"
    assert asked.get("/schema").json()["example"] == flat
    assert asked.post("/predict", json={"rows": [flat]}).status_code == 200
    assert 'mlwork_rows_total{outcome="answered"' in asked.get("/metrics").text
    row = asked.get("/openapi.json").json()["components"]["schemas"]["Row"]
    assert set(row["required"]) <= set(flat) and "m2" in row["properties"]["area"]["description"]
    page = asked.get("/docs")
    assert "year_built" in page.text and "default-src 'none'" in page.headers["content-security-policy"]
    assert f"curl -H 'content-type: application/json' -d @rows.json http://127.0.0.1:{server.port}/predict" in unescape(page.text)
    assert "Answer 1 to 500 rows" in page.text and "8000" not in page.text


def test_the_documentation_says_by_which_address_it_was_reached(place):
    app = create_app(Pointer(place / "one", "scikit-learn"), home=False, quiet=True)

    async def page(url, **more):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app, **more), base_url=url) as http:
            return (await http.get("/docs")).text

    assert " https://flats.example:8443/predict<" in asyncio.run(page("https://flats.example:8443"))
    text = asyncio.run(page("http://[::1]:8000", root_path="/rentals"))
    assert " http://[::1]:8000/rentals/predict<" in text and not re.search('(href|src)="/', text)
    assert "<script>" not in asyncio.run(page("http://flats.example", root_path="/<script>"))


def test_why(asked, flat):
    found = asked.post("/explain", json={"rows": [flat]}).json()
    assert found["label"] == "yes" and len(found["parts"]) > 7
    assert asked.post("/explain", json={"rows": [flat, flat]}).status_code == 422


WRONG = {
    "no JSON": (422, b"{rows", JSON),
    "no rows": (422, b'{"rows": []}', JSON),
    "another shape": (422, b"[1, 2]", JSON),
    "deep": (422, b"[" * 50_000, JSON),
    "a large number": (422, b'{"rows": [{"floor": 1' + b"0" * 5000 + b"}]}", JSON),
    "half a character": (422, b'{"rows": [{"city": "\\ud800"}]}', JSON),
    "no UTF-8": (422, b"a,b\n\xff,\xfe\n", {"content-type": "text/csv"}),
    "no columns": (422, b"a,b\n1,2\n", {"content-type": "text/csv"}),
    "an empty table": (422, b"", {"content-type": "text/csv"}),
    "no Parquet": (422, b"PAR1" + bytes(100) + b"PAR1", {"content-type": "application/vnd.apache.parquet"}),
    "another type": (415, b"<row/>", {"content-type": "text/xml"}),
    "no type": (415, b"{}", {}),
    "too large": (413, b" " * 300_000, JSON),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_used_is_refused_clearly(asked, name):
    status, body, headers = WRONG[name]
    answer = asked.post("/predict", content=body, headers=headers)
    assert answer.status_code == status and answer.json()["error"], answer.text
    assert "Traceback" not in answer.text and len(answer.content) < 3000


@pytest.mark.parametrize("path", ["/predict", "/explain"])
def test_a_compressed_body_is_told_so(asked, flat, path):
    body = json.dumps({"rows": [flat]}).encode()
    for coding in ("gzip", "br", "x-Gzip"):
        answer = asked.post(path, content=gzip.compress(body), headers=JSON | {"content-encoding": coding})
        assert answer.status_code == 415 and "without compressing it" in answer.json()["error"], answer.text
    assert asked.post(path, content=body, headers=JSON | {"content-encoding": "identity"}).status_code == 200


def test_too_much_is_refused_in_every_format(asked, flat):
    table = pd.DataFrame([flat] * 501)
    packed = io.BytesIO()
    table.to_parquet(packed)
    assert asked.post("/predict", content=packed.getvalue(), headers={"content-type": "application/vnd.apache.parquet"}).status_code == 413
    small = "\n".join([",".join(flat), *[",".join("1" for _ in flat)] * 501])
    assert asked.post("/predict", content=small, headers={"content-type": "text/csv"}).status_code == 413
    assert asked.post("/predict", json={"rows": [dict.fromkeys(flat, 1)] * 501}).status_code == 422
    bomb = io.BytesIO()
    pd.DataFrame([flat | {"description": "x" * 100_000}] * 400).to_parquet(bomb)
    assert len(bomb.getvalue()) < 200_000
    assert asked.post("/predict", content=bomb.getvalue(), headers={"content-type": "application/vnd.apache.parquet"}).status_code == 413


def test_other_ways_and_names(asked):
    assert asked.get("/predict").status_code == 405
    assert asked.get("/nothing").json() == {"error": "Not Found"}
    assert asked.get("/health", headers={"host": "evil.example"}).status_code == 421


def test_a_chunked_body_without_end_is_cut_off(server, asked):
    def endless():
        while True:
            yield b" " * 10_000

    with _either() as found:
        found.append(asked.post("/predict", content=endless(), headers=JSON).status_code)
    assert found in ([413], [])
    assert asked.get("/health").status_code == 200


class _either:
    "Either an answer, or a connection that the server closed while it was written to."

    def __enter__(self):
        return []

    def __exit__(self, kind, error, trace):
        return kind is not None and issubclass(kind, httpx.TransportError)


def spoken(server, said, wait=6.0):
    "What a server says to bytes, until it closes."
    with socket.create_connection(("127.0.0.1", server.port)) as s:
        s.settimeout(wait)
        s.sendall(said)
        found = b""
        while part := s.recv(65536):
            found += part
        return found


@pytest.mark.parametrize(
    "said, status",
    [
        (b"", b"408"),
        (b"GET /health HTTP/1.1\r\nhost: local", b"408"),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 100_000, b"431"),
        (b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{", b"408"),
        (b"\x16\x03\x01\x02\x00\x01", b"400"),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -5\r\n\r\n", b"400"),
        (b"\r\n" * 3, b"408"),
    ],
    ids=["silent", "half a header", "headers without end", "half a body", "TLS", "a negative length", "blank lines"],
)
def test_who_says_too_little_or_too_much_is_told_and_closed(server, said, status):
    answer = spoken(server, said)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:100]


def test_too_many_connections_are_told_to_come_again(server, asked):
    assert asked.get("/health").status_code == 200
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
    try:
        told = [s for s in slow[45:] if s.recv(12).startswith(b"HTTP/1.1 503")]
        assert len(told) == 15
        assert asked.get("/health").status_code == 200, "who is in stays in"
    finally:
        for s in slow:
            s.close()
    soon(lambda: httpx.get(f"{server.url}/health", trust_env=False).status_code == 200)


def test_lines_hold_no_contents(server, asked, flat):
    secret = "Sesamstraße-4711"
    asked.post("/predict", json={"rows": [flat | {"city": secret, "floor": secret}]})
    asked.post("/predict", content=f'{{"rows": "{secret}"}}', headers=JSON)
    asked.get(f"/{secret}?{secret}")
    soon(lambda: sum('"status": 404' in line for line in server.lines) >= 1)
    text = "\n".join(server.lines)
    assert "4711" not in text and all(json.loads(line)["time"] for line in server.lines)
    assert '"rows": 1' in text and not server.events("error")


def test_a_pointer_is_followed_under_load_without_a_dropped_request(place, flat):
    (place / "current").write_text("one")
    with served(place / "current", "--log", place / "switch.db", "--quiet") as server:
        found, stop = [], threading.Event()

        def ask():
            with client(server) as http:
                while not stop.is_set():
                    answer = http.post("/predict", json={"rows": [flat]})
                    found.append((answer.status_code, answer.json()["version"], answer.json()["answers"][0]["prediction"]))

        def switch(name):
            before = len(server.events("switch"))
            with atomic_write(place / "current") as f:
                f.write(name)
            soon(lambda: len(server.events("switch")) > before, 60)
            return server.events("switch")[-1]["now"]

        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask) for _ in range(4)]
            try:
                versions = {switch(name) for name in ("two", "one", "gone", "two")}
                time.sleep(0.3)
            finally:
                stop.set()
            for one in asking:
                one.result()
        assert {status for status, *_ in found} == {200} and len(versions) == 2
        assert {version for _, version, _ in found} == versions
        kept = read_log(place / "switch.db")
        assert kept["version"].value_counts().to_dict() == pd.Series([v for _, v, _ in found]).value_counts().to_dict()


@pytest.mark.parametrize("wrong", [b"/nonexistent", b"", b"\xff\xfe", b"a\0b", b"one\ntwo", b"corrupt"], ids=repr)
def test_a_bad_pointer_is_written_down_and_counted_as_a_bad_model_is(place, flat, wrong):
    pointer = place / "wrong"
    pointer.write_text("one")
    if not (place / "corrupt").exists():
        shutil.copytree(place / "one", place / "corrupt")
        (place / "corrupt" / "MANIFEST.json").write_text("{}")
    with served(pointer, "--log", "", "--engine", "scikit-learn") as server, client(server) as http:
        pointer.write_bytes(wrong)
        (event,) = soon(lambda: server.events("switch"))
        assert not event["done"] and event["before"] == event["now"] and event["problem"]
        assert http.get("/version").json()["problem"] == event["problem"]
        assert http.post("/predict", json={"rows": [flat]}).json()["version"] == event["now"]
        time.sleep(1.5)
        assert len(server.events("switch")) == 1 and 'mlwork_switches_total{outcome="failed"} 1.0' in http.get("/metrics").text
        pointer.write_text("two")
        assert soon(lambda: server.events("switch")[1:])[0]["done"]
        assert http.get("/version").json()["problem"] is None
    assert server.process.returncode == 0 and not server.events("error")


def test_a_killed_server_has_logged_every_answer(place, flat):
    log, ids, lock = place / "killed.db", [], threading.Lock()
    with served(place / "one", "--log", log, "--quiet") as server:

        def ask():
            try:
                with client(server) as http:
                    while True:
                        answer = http.post("/predict", json={"rows": [flat, flat]}).json()
                        with lock:
                            ids.extend(a["id"] for a in answer["answers"])
            except httpx.TransportError:
                return

        with ThreadPoolExecutor(6) as pool:
            asking = [pool.submit(ask) for _ in range(6)]
            try:
                soon(lambda: len(ids) > 300)
            finally:
                server.stop(signal.SIGKILL)
            for one in asking:
                one.result()
    kept = read_log(log)
    assert len(ids) > 300 and not set(ids) - set(kept["id"])
    assert kept["row"].map(lambda row: row == flat).all()


def test_what_has_begun_is_finished_before_it_ends(place, flat):
    with served(place / "one", "--log", place / "graceful.db", "--engine", "scikit-learn") as server:
        table = pd.DataFrame([flat | {"rooms": i % 5, "floor": None if i % 2 else i % 9} for i in range(9000)]).to_csv(index=False)
        with ThreadPoolExecutor(1) as pool, client(server) as http:
            answer = pool.submit(http.post, "/predict", content=table, headers={"content-type": "text/csv"})
            time.sleep(0.25)
            code = server.stop()
            assert answer.result().status_code == 200 and len(answer.result().json()["answers"]) == 9000
        assert code == 0 and json.loads(server.lines[-1])["event"] == "stopped"
        assert len(read_log(place / "graceful.db")) == 9000


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_both_ways_to_stop_it_are_one(place, flat, how):
    with served(place / "one", "--log", place / f"{how.name}.db") as server, client(server) as http:
        assert http.post("/predict", json={"rows": [flat]}).status_code == 200
        assert server.stop(how) == 0
    events = [json.loads(line)["event"] for line in server.lines]
    assert events == ["serving", "request", "stopped"]
    assert len(read_log(place / f"{how.name}.db")) == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_may_be_stopped_while_the_model_is_loaded(place, how):
    code = "import mlwork.deploy.web as w, time; w.Pointer = lambda *_: print('loading', flush=True) or time.sleep(30);"
    command = [sys.executable, "-c", f"{code} from mlwork.cli import main; main()", "serve", str(place / "one"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=place) as process:
        assert process.stdout.readline() == "loading\n"
        process.send_signal(how)
        assert process.wait(20) == 0 and json.loads(process.stderr.read())["event"] == "stopped"


def test_without_the_key_nothing_is_said(place, flat):
    key = "a-key-of-some-length"
    with served(place / "one", "--log", "", key=key) as server, client(server) as http:
        assert http.get("/health").status_code == http.get("/").status_code == 200
        for path in ("/version", "/schema", "/metrics", "/docs", "/openapi.json"):
            for said, words in (({}, "a key is needed"), ({"x-api-key": key[:-1]}, "the key is wrong"), ({"x-api-key": "é"}, "wrong")):
                answer = http.get(path, headers={k: v.encode() for k, v in said.items()})
                assert answer.status_code == 401 and words in answer.json()["error"], (path, answer.text)
            assert http.get(path, headers={"x-api-key": key}).status_code == 200
        for path in ("/docs", "/openapi.json"):
            door = http.get(path, headers={"accept": "text/html,*/*"})
            assert door.status_code == 401 and door.text == http.get("/").text and "'none'" in door.headers["content-security-policy"]
        assert f'-H "X-API-Key: …" -d @rows.json {server.url}/predict' in unescape(http.get("/docs", headers={"x-api-key": key}).text)
        assert http.post("/predict", json={"rows": [flat]}).status_code == 401
        wrong = http.post("/predict", json={"rows": [flat]}, headers={"authorization": f"Bearer {key[:-1]}"})
        assert wrong.status_code == 401 and "the key is wrong" in wrong.json()["error"]
        for headers in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
            assert http.post("/predict", json={"rows": [flat]}, headers=headers).status_code == 200
        assert key not in "\n".join(server.lines)


@needs("openssl")
def test_tls(place, flat):
    cert, key = place / "cert.pem", place / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(made, check=True, capture_output=True)
    with served(place / "one", "--log", "", "--cert", cert, "--cert-key", key) as server:
        assert server.url.startswith("https://")
        with client(server, verify=ssl.create_default_context(cafile=str(cert))) as http:
            assert http.post("/predict", json={"rows": [flat]}).status_code == 200


@needs("openssl")
def test_files_of_tls_are_tried_first_and_named(place):
    def key(name, *more):
        subprocess.run(
            ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", *more, "-out", name], check=True, cwd=place
        )

    key("own.pem"), key("other.pem"), key("locked.pem", "-aes256", "-pass", "pass:secret")
    made = ["openssl", "req", "-x509", "-new", "-days", "2", "-subj", "/CN=localhost", "-key", "own.pem", "-out", "sure.pem"]
    subprocess.run(made, check=True, cwd=place, capture_output=True)
    (place / "empty.pem").write_text("")
    for cert, own, said in (
        ("nope.pem", "own.pem", "nope.pem (No such file"),
        ("sure.pem", "nope.pem", "nope.pem (No such file"),
        ("sure.pem", "one", "one (Is a directory)"),
        ("empty.pem", "own.pem", "the certificate must be a file in PEM; got empty.pem"),
        ("own.pem", "own.pem", "the certificate must be a file in PEM; got own.pem"),
        ("sure.pem", "empty.pem", "the private key must be a file in PEM; got empty.pem"),
        ("sure.pem", "other.pem", "other.pem of another; give the key that made sure.pem"),
        ("sure.pem", "locked.pem", "openssl pkey -in locked.pem"),
    ):
        options = ["nowhere", "--port", "0", "--cert", cert, "--cert-key", own]
        done = subprocess.run([*COMMAND, *options], cwd=place, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1, (cert, own, done.stderr)


def test_a_full_disk_is_said_and_nothing_goes_unlogged(place, flat):
    log = place / "full.db"
    most = 300_000

    def before():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    with served(place / "one", "--log", log, before=before) as server, client(server) as http:
        ids, large = [], flat | {"description": "x" * 20_000}
        for _ in range(60):
            answer = http.post("/predict", json={"rows": [large]})
            if answer.status_code != 200:
                break
            ids.append(answer.json()["answers"][0]["id"])
        assert answer.status_code == 503 and "log" in answer.json()["error"] and "answers" not in answer.json()
        assert answer.headers["retry-after"]
        assert http.get("/health").status_code == 200
    assert ids and set(read_log(log)["id"]) == set(ids)


def test_a_log_that_another_program_holds_for_a_moment_is_waited_for(server, asked, flat, place):
    other = sqlite3.connect(place / "log.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(asked.post, "/predict", json={"rows": [flat]})
        time.sleep(0.4)
        other.execute("ROLLBACK")
        assert answer.result().status_code == 200
    other.close()


@pytest.mark.parametrize(
    "options, said",
    [
        (("nowhere",), "check the path"),
        (("one", "--limit", "row=5"), "did you mean"),
        (("one", "--limit", "rows=many"), "must be a number"),
        (("one", "--cert", "cert.pem"), "two files"),
        (("one", "--log", "/nowhere/log.db"), "must be a file that can be written"),
        (("one", "--host", "192.0.2.7"), "address"),
    ],
)
def test_what_cannot_be_served_is_one_line(place, options, said):
    done = subprocess.run([*COMMAND, *options, "--port", "0"], cwd=place, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_schemathesis_finds_no_request_that_breaks_it(server):
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    tried = []

    for operation in (found.ok() for found in schema.get_all_operations()):
        _tried(operation, tried)()
    assert len(tried) > 40 and 200 in tried


def _tried(operation, tried):
    "Make the test of one operation."

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(data=st.data())
    def holds(data):
        case = data.draw(operation.as_strategy())
        answer = case.call(timeout=20)
        assert answer.status_code < 500, (case.method, case.path, answer.text)
        assert str(answer.status_code) in operation.definition.raw["responses"], (case.path, answer.status_code)
        tried.append(answer.status_code)

    return holds
