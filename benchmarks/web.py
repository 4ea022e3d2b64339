"""How fast is a served model? `mlwork serve` against MLflow, BentoML, and an endpoint of FastAPI that does nothing.

`python benchmarks/web.py [--quick] [--rounds 9]` fits a model of the rentals and serves it four ways at once, each in processes of its own: `mlwork serve`
with its prediction log, `mlflow models serve` and `bentoml serve` with the same scikit-learn pipeline (in environments of their own), and an endpoint that
takes the same typed request and returns a constant. One row is asked of each in turn (A B C D A B C D ...) over a connection that stays open; then eight
connections ask ours and the empty one as fast as they can, in rounds by turns. It prints p50 and p99, requests a second, what a request
costs the processor, and the ratios. It exits with 1 where a bound is missed. It needs Linux and two processors.
"""

import argparse
import json
import os
import pickle
import re
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from peers import interpreter

ROOT = Path(__file__).resolve().parent.parent
LATENCY = {"logistic": {"MLflow": 20, "BentoML": 15}}  # {model: {peer: its p50 / ours, at least}}
THROUGHPUT, CALLERS = 0.4, 8  # ours / the empty endpoint, at least; connections
LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
SETTINGS = {"BENTOML_DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "ERROR"}
SETTINGS |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # one row needs one thread

SAVE_MLFLOW = """
import pickle, sys, warnings
warnings.simplefilter("ignore")
import mlflow
pipeline = pickle.load(open("pipeline.pkl", "rb"))
mlflow.sklearn.save_model(pipeline, "saved", pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle", pip_requirements=[])
"""
BENTO = """
import pickle

import bentoml
import pandas as pd


@bentoml.service
class Model:
    def __init__(self):
        self.pipeline = pickle.load(open("pipeline.pkl", "rb"))

    @bentoml.api
    def predict(self, rows: list[dict]) -> list[list[float]]:
        return self.pipeline.predict_proba(pd.DataFrame(rows)).tolist()
"""
EMPTY = """
import sys

import uvicorn
from fastapi import Body, FastAPI
from typing_extensions import NotRequired, TypedDict

from mlwork.deploy.bundle import columns_of
from mlwork.deploy.requests import Limits, example_row, request_type
from mlwork.model import load_model

model = load_model(sys.argv[1])
Asked = request_type(columns_of(model), example_row(model), Limits().rows)._type


class Warned(TypedDict):
    column: str
    code: str
    message: str


class Answer(TypedDict):
    id: str
    prediction: str | float | None
    probabilities: NotRequired[dict[str, float]]
    warnings: list[Warned]


class Reply(TypedDict):
    version: str
    answers: list[Answer]


app = FastAPI()
chances = dict.fromkeys(map(str, model.classes), 1 / len(model.classes))
said = {"version": "0" * 12, "answers": [{"id": "0" * 24, "prediction": "no", "probabilities": chances, "warnings": []}]}


@app.post("/predict")
async def predict(asked: Asked = Body()) -> Reply:
    return said


uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="warning")
"""


class Server:
    "A server that was started: where it listens, what it is asked, and its processes."

    def __init__(self, name, path, asked, command, folder, errors):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.name, body = name, json.dumps(asked).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: localhost:{self.port}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.said, command = head.encode() + body, [str(c).replace("PORT", str(self.port)) for c in command]
        env = os.environ | SETTINGS | {"PYTHONPATH": str(ROOT), "PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}"}
        self.errors, file = errors / f"{name}.txt", (errors / f"{name}.txt").open("w")
        self.process = subprocess.Popen(command, cwd=folder, env=env, stdout=file, stderr=file, start_new_session=True)

    def wait(self, seconds=120):
        "Wait until it answers."
        until, answer = time.monotonic() + seconds, b""
        while b" 200 " not in answer[:15]:
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError(f"{self.name} does not answer: {answer.decode()[:300]}\n{self.errors.read_text()[-2000:]}")
            try:
                caller = Caller(self)
                answer = caller.ask()
                caller.close()
            except OSError:
                time.sleep(0.2)
        return answer

    def cpu(self):
        "Add up the CPU seconds of its processes so far."
        found = {}  # {process: its parent, ticks}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:  # it has just ended
                continue
            found[int(stat.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12])

        def ours(pid):
            return pid == self.process.pid or pid in found and ours(found[pid][0])

        return sum(ticks for pid, (_, ticks) in found.items() if ours(pid)) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)


class Caller:
    "A connection that stays open and asks the same question."

    def __init__(self, server):
        self.said, self.got, self.whole = server.said, b"", None
        self.socket = socket.create_connection(("127.0.0.1", server.port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self):
        self.got, self.whole = b"", None
        self.socket.sendall(self.said)

    def hear(self):
        "Read some of the answer; gives it when it is whole, else None."
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection")
        self.got += part
        if self.whole is None and (end := self.got.find(b"\r\n\r\n")) > 0:
            self.whole = end + 4 + int(LENGTH.search(self.got)[1])
        return self.got if self.whole is not None and len(self.got) >= self.whole else None

    def ask(self):
        self.say()
        while (answer := self.hear()) is None:
            pass
        return answer

    def close(self):
        self.socket.close()


def in_turn(servers, turns):
    "Ask each server one row in turn: {name: milliseconds}, {name: CPU milliseconds of a request, beyond what it takes when nobody asks}."
    before, idle = {s.name: s.cpu() for s in servers}, 4.0
    time.sleep(idle)
    alone = {s.name: (s.cpu() - before[s.name]) / idle for s in servers}
    callers, took = [(s.name, Caller(s)) for s in servers], {s.name: [] for s in servers}
    for _, caller in callers * 20:  # the first are not counted
        caller.ask()
    start, began = {s.name: s.cpu() for s in servers}, time.perf_counter()
    for name, caller in callers * turns:
        asked = time.perf_counter()
        answer = caller.ask()
        took[name].append(1000 * (time.perf_counter() - asked))
        assert answer.startswith(b"HTTP/1.1 200"), answer[:500]
    passed = time.perf_counter() - began
    cost = {s.name: 1000 * (s.cpu() - start[s.name] - alone[s.name] * passed) / turns for s in servers}
    for _, caller in callers:
        caller.close()
    return {name: np.array(found) for name, found in took.items()}, cost


def at_once(server, seconds):
    "Ask a server on several connections as fast as it answers: requests a second, CPU microseconds a request."
    callers, choose = [Caller(server) for _ in range(CALLERS)], selectors.DefaultSelector()
    for caller in callers:
        choose.register(caller.socket, selectors.EVENT_READ, caller)
        caller.say()
    done, cpu, start = 0, server.cpu(), time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        for key, _ in choose.select(1):
            if (answer := key.data.hear()) is not None:
                assert answer.startswith(b"HTTP/1.1 200"), answer[:500]
                done += 1
                key.data.say()
    cpu = server.cpu() - cpu
    for caller in callers:
        caller.close()
    return done / passed, cpu / done * 1e6


def fitted(folder, name):
    "Fit a model of the rentals, save it, and prove it for the portable engine: a row to ask."
    from mlwork.collect import load
    from mlwork.deploy.served import open_served
    from mlwork.split import holdout
    from mlwork.train import fit

    model = fit(holdout(load("sample:rentals", target="let_within_week")), model=name)
    model.save(folder / "model")
    (folder / "pipeline.pkl").write_bytes(pickle.dumps(model.pipeline))
    served = open_served(folder / "model")
    assert served.engine.name == "portable", served.engine.reason
    return served.example, served.answers([served.example])[0]


def commands(folder, row):
    "How each server is started: name, path, what is asked, command."
    (folder / "bento.py").write_text(BENTO)
    (folder / "empty.py").write_text(EMPTY)
    mlflow, bento = Path(interpreter("mlflow")), Path(interpreter("bentoml"))
    subprocess.run([mlflow, "-c", SAVE_MLFLOW], cwd=folder, check=True, env=os.environ | SETTINGS | {"PYTHONPATH": str(ROOT)})
    serve = [sys.executable, "-c", "from mlwork.cli import main; main()", "serve", "model", "--port", "PORT", "--log", "log.db"]
    yield "mlwork", "/predict", {"rows": [row]}, serve
    records, own = {"dataframe_records": [row]}, ["models", "serve", "-m", "saved", "--env-manager", "local", "-p", "PORT"]
    yield "MLflow", "/invocations", records, [mlflow, "-m", "mlflow", *own]
    yield "BentoML", "/predict", {"rows": [row]}, [bento, "-m", "bentoml", "serve", "bento:Model", "--port", "PORT"]
    yield "empty", "/predict", {"rows": [row]}, [sys.executable, "empty.py", "model", "PORT"]


@contextmanager
def running(folder, row, answer):
    "All servers, running and giving the same answer."
    with ExitStack() as ends:
        servers = []
        for name, path, asked, command in commands(folder, row):
            servers.append(Server(name, path, asked, command, folder, folder))
            ends.callback(servers[-1].stop)
        for server in servers:
            said = json.loads(server.wait().split(b"\r\n\r\n", 1)[1])
            if server.name in ("MLflow", "BentoML"):
                found = said["predictions"] if isinstance(said, dict) else said
                assert np.allclose(found[0], list(answer["probabilities"].values()), rtol=0, atol=1e-9), (server.name, said, answer)
        yield {s.name: s for s in servers}


def compared(name, turns, rounds, seconds):
    "Compare one model: lines of the table, and how many bounds were missed."
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        row, answer = fitted(folder, name)
        with running(folder, row, answer) as servers:
            failed = in_turn_compared(name, *in_turn(servers.values(), turns))
            pairs = [(at_once(servers["mlwork"], seconds), at_once(servers["empty"], seconds)) for _ in range(rounds + 1)][1:]
    return failed + at_once_compared(name, pairs)


def in_turn_compared(name, took, cost):
    "Compare servers that were asked in turn, by the clock and by the processor: lines of the table, and how many bounds the lower ratio misses."
    failed, p50 = 0, {peer: float(np.median(times)) for peer, times in took.items()}
    for peer, times in took.items():
        clock, cpu, bound = p50[peer] / p50["mlwork"], cost[peer] / cost["mlwork"], LATENCY.get(name, {}).get(peer)
        facts = f"p50 {p50[peer]:.2f} ms, p99 {np.quantile(times, 0.99):.2f} ms, {cost[peer]:.2f} ms of CPU"
        wanted = "" if bound is None else f"≥ {bound} {'ok' if min(clock, cpu) >= bound else '**FAIL**'}"
        failed += bound is not None and min(clock, cpu) < bound
        print(f"| {name} | one row | {peer} | {facts} | {clock:.2f}, by CPU {cpu:.2f} | {wanted} |", flush=True)
    return failed


def at_once_compared(name, pairs):
    "Compare rounds of many connections, by the clock and by the processor: lines of the table, and whether the lower ratio misses the bound."
    clock, cpu = ([ours[0] / empty[0] for ours, empty in pairs], [empty[1] / ours[1] for ours, empty in pairs])
    ratio = min(statistics.median(clock), statistics.median(cpu))
    for k, peer in enumerate(("mlwork", "empty")):
        speed, cost = (statistics.median(pair[k][i] for pair in pairs) for i in (0, 1))
        facts = f"{speed:,.0f} a second, {cost:.0f} µs of CPU each"
        spans = [f"{statistics.median(r):.2f} ({min(r):.2f} to {max(r):.2f})" for r in (clock, cpu)]
        told = [f"{spans[0]}, by CPU {spans[1]}", f"≥ {THROUGHPUT} {'ok' if ratio >= THROUGHPUT else '**FAIL**'}"] if k == 0 else ["1", ""]
        print(f"| {name} | {CALLERS} connections | {peer} | {facts} | {' | '.join(told)} |", flush=True)
    return ratio < THROUGHPUT


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="fewer questions and one model: does it work, not how fast is it")
    asked.add_argument("--rounds", type=int, default=9, help="rounds of many connections (default: 9)")
    asked.add_argument("--models", nargs="+", default=["logistic", "boosting"], help="names of the catalogue")
    asked = asked.parse_args()
    os.environ["MLWORK_PROGRESS"] = "0"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended
    turns, rounds, seconds = (60, 2, 0.5) if asked.quick else (1000, asked.rounds, 2.0)
    print("| model | asked | server | took | ratio | bound |\n|---|---|---|---|---|---|", flush=True)
    return int(sum(compared(name, turns, rounds, seconds) for name in asked.models[: 1 if asked.quick else None]) > 0)


if __name__ == "__main__":
    sys.exit(main())
