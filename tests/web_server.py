"""A served model in a process of its own: what the tests of the web service share."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import httpx

from mlwork.collect import load
from mlwork.split import holdout
from mlwork.train import fit

COLUMNS = ["listed_on", "city", "floor", "rooms", "area", "condition", "furnished", "year_built", "description", "days_on_market"]
COMMAND = [sys.executable, "-c", "from mlwork.cli import main; main()", "serve"]


@lru_cache
def split_of(target, seed=1):
    "A split of the rentals, with half of their columns and half of the rows to train on."
    return holdout(load(load("sample:rentals").frame[[*COLUMNS, target]], target=target), test=0.5, seed=seed)


@lru_cache
def model_of(target, name, seed=1):
    "A model of such a split."
    return fit(split_of(target, seed), model=name)


class Served:
    "A running server: its address, its process, and the lines that it wrote."

    def __init__(self, model, *options, key=None, before=None):
        env = os.environ | ({"MLWORK_API_KEY": key} if key else {})
        command = [*COMMAND, str(model), "--port", "0", *map(str, options)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env, preexec_fn=before)
        self.lines, self._told = [], threading.Event()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        if not self._told.wait(60):
            self.process.kill()
            raise AssertionError(f"it did not begin: {self.lines}")
        self.url = next((json.loads(line)["url"] for line in self.lines if '"serving"' in line), None)
        assert self.url, self.lines

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.strip())
            if '"event": "serving"' in line:
                self._told.set()
        self._told.set()

    def events(self, name):
        return [event for event in map(json.loads, self.lines) if event["event"] == name]

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(40)
        self._reading.join(5)
        self.process.stderr.close()
        return code


@contextmanager
def served(model, *options, **more):
    server = Served(model, *options, **more)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def client(server, **more):
    return httpx.Client(base_url=server.url, timeout=30, trust_env=False, **more)


def soon(condition, seconds=30.0):
    "Wait until something is so."
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not become so"
        time.sleep(0.05)
    return found


def saved(folder: Path, target="let_within_week", name="logistic", seed=1):
    return model_of(target, name, seed).save(folder)
