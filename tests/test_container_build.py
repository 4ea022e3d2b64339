"""A container, really built and run: minutes and gigabytes, so only where it is asked for.

apt-get install buildah podman runc debootstrap iptables
MLWORK_CONTAINER=1 python -m pytest tests/test_container_build.py          (as root, on Debian)
MLWORK_CONTAINER=/a/folder/to/keep/images python -m pytest ...             (the base image is made once)

There is no registry here to get a base image from. So one is made by debootstrap, with Debian's own Python, and imported under the name
that the Containerfile asks for; everything else is as a user would do it.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from portable_cases import made

from mlwork.core import BadInput
from mlwork.deploy.bundle import bundle
from mlwork.deploy.container import build_image, to_container
from mlwork.deploy.golden import golden, golden_rows
from mlwork.deploy.oci import SERVICE_USER, read_image
from mlwork.deploy.prediction_log import read_log
from mlwork.deploy.served import Pointer
from mlwork.deploy.tiny_image import tiny_image
from mlwork.deploy.web import create_app

WANTED = os.environ.get("MLWORK_CONTAINER", "")
PROGRAMS = ("buildah", "podman", "runc", "debootstrap", "apt-get", "iptables")
BASE = "docker.io/library/python:{}.{}.{}-slim".format(*sys.version_info)

pytestmark = pytest.mark.skipif(not WANTED, reason="takes minutes and gigabytes: set MLWORK_CONTAINER=1 to build and run containers")


def done(*command, **more):
    "Run a program, which must succeed; gives what it says."
    found = subprocess.run([str(c) for c in command], capture_output=True, timeout=900, **({"text": True} | more))
    assert found.returncode == 0, f"{command}\n{found.stdout[-2000:]}\n{found.stderr[-3000:]}"
    return found.stdout


def debian(folder):
    "Make a Debian with Python, from where apt gets its packages."
    listed = done("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)").splitlines()
    mirror, suite = next(line.split() for line in listed if line.rpartition(" ")[2].isalpha())
    packages = "python3,python3-venv,python3-pip,ca-certificates"
    done("debootstrap", "--variant=minbase", f"--include={packages}", suite, folder, mirror)
    has = done("chroot", folder, "python3", "-c", "import sys; print(*sys.version_info[:2])")
    assert has.split() == [str(v) for v in sys.version_info[:2]], f"wheels for Python {sys.version_info[:2]} need a base with it, not {has}"
    (folder / "usr" / "bin" / "python").symlink_to("python3")
    for path in (folder / "var" / "cache" / "apt" / "archives").glob("*.deb"):
        path.unlink()


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    "Images and containers of our own, with the base image among them."
    missing = [p for p in PROGRAMS if shutil.which(p) is None] + ["root's rights"] * (os.geteuid() != 0)
    if missing:
        pytest.fail(f"building containers needs {', '.join(missing)}: apt-get install {' '.join(PROGRAMS)}")
    folder = Path(WANTED) if WANTED.startswith("/") else tmp_path_factory.mktemp("containers")
    folder.mkdir(exist_ok=True)
    (folder / "storage.conf").write_text(f'[storage]\ndriver = "overlay"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/images"\n')
    settings = '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
    (folder / "containers.conf").write_text(f'{settings}[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
        patch.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
        if subprocess.run(["podman", "image", "exists", BASE]).returncode:
            debian(folder / "root")
            with subprocess.Popen(["tar", "-C", folder / "root", "--one-file-system", "-c", "."], stdout=subprocess.PIPE) as tar:
                done("podman", "import", "-", BASE, stdin=tar.stdout)
            shutil.rmtree(folder / "root")
        yield folder
        done("podman", "stop", "--all", "--time", "20")
        done("podman", "rm", "--all", "--volumes")
        done("podman", "volume", "prune", "--force")
        if not WANTED.startswith("/"):
            done("podman", "rmi", "--all", "--force")


@pytest.fixture(scope="session")
def case(tmp_path_factory):
    "A stored model, its bundle and golden rows."
    model = made("binary", "boosting", {})
    portable = bundle(model)
    return model.save(tmp_path_factory.mktemp("stored") / "ein Modell"), golden(portable, golden_rows(portable, mixed=60)[::2]), portable


@pytest.fixture(scope="session")
def image(engine, case, tmp_path_factory):
    "The image of a served model."
    folder = to_container(case[0], tmp_path_factory.mktemp("context") / "Bild", name="built", vendor=True)
    build_image(folder, "localhost/built:1", options=["--isolation=chroot", "--pull=never"])
    return "localhost/built:1"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def ask(port, path, body=None):
    "Ask the service; gives the status and what it says."
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        sent = None if body is None else json.dumps(body).encode()
        connection.request("GET" if body is None else "POST", path, sent, {"Content-Type": "application/json"} if sent else {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def start(image, port, volume):
    "Start the image as compose.yaml would, and wait until it answers."
    strict = [
        "--read-only",
        "--read-only-tmpfs=false",
        "--tmpfs",
        "/tmp:size=64m",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
    ]
    bounds = ["--memory", "1g", "--cpus", "1", "--pids-limit", "100", "--no-healthcheck"]  # its timer would need systemd
    places = ["--volume", f"{volume}:/log", "--publish", f"127.0.0.1:{port}:8000"]
    container = done("podman", "run", "--detach", *strict, *bounds, *places, image).strip()
    for _ in range(240):
        try:
            if ask(port, "/ready")[0] == 200:
                return container
        except (OSError, http.client.HTTPException):
            time.sleep(0.25)
    raise AssertionError(subprocess.run(["podman", "logs", container], capture_output=True, text=True).stderr[-3000:])


@pytest.fixture(scope="session")
def running(image):
    "The service in its container: (container, port)."
    port = free_port()
    return start(image, port, "log-of-tests"), port


def same(status_and_body):
    "An answer without what is new each time."
    status, body = status_and_body
    answers = [{k: v for k, v in a.items() if k != "id"} for a in body.get("answers", [])]
    return status, body.get("version"), answers or sorted(body)


def test_the_container_answers_as_the_host_does(running, case):
    from starlette.testclient import TestClient

    stored, held, _ = case
    answered = 0
    with TestClient(create_app(Pointer(stored)), base_url="http://127.0.0.1") as host:
        for row, wanted in zip(held.rows, held.answers, strict=True):
            here = host.post("/predict", json={"rows": [row]})
            there = ask(running[1], "/predict", {"rows": [row]})
            assert same(there) == same((here.status_code, here.json()))
            if there[0] == 200 and "error" not in there[1]["answers"][0]:
                said = there[1]["answers"][0]
                assert list(said["probabilities"].values()) == pytest.approx(wanted["scores"], abs=1e-12)
                assert said["prediction"] == wanted["prediction"]
                answered += 1
    assert answered > 30


def inside(container, *command):
    "Run a program beside the service, as the same user."
    return subprocess.run(["podman", "exec", container, *command], capture_output=True, text=True, timeout=60)


def test_its_health_check_says_that_it_lives(running, image):
    about = json.loads(done("podman", "image", "inspect", image))[0]
    kind, *command = about["Healthcheck"]["Test"]
    assert kind == "CMD" and inside(running[0], *command).returncode == 0
    wrong = [c.replace("8000", "8001") for c in command]
    assert inside(running[0], *wrong).returncode == 1
    assert about["User"] == SERVICE_USER and "OMP_NUM_THREADS=1" in about["Config"]["Env"]


FIND = ("find", "/", "-xdev", "-writable", "-not", "-type", "l")


def writable(found):
    "The places that a user may write to, as `find` says; it also says what it may not look into, and ends with 1 for it."
    assert found.returncode in (0, 1) and "/log" in found.stdout
    return {line for line in found.stdout.splitlines() if not line.startswith(("/proc", "/dev", "/sys"))}


def test_the_service_can_write_its_log_and_nothing_else(running):
    assert inside(running[0], "id", "-u").stdout.strip() == SERVICE_USER.partition(":")[0]
    assert writable(inside(running[0], *FIND)) == {"/log", "/tmp"}  # two mounts
    for place, able in (("/log", True), ("/tmp", True), ("/model", False), ("/opt/venv/bin", False), ("/", False)):
        assert (inside(running[0], "touch", f"{place}/x").returncode == 0) == able, place
    status = dict(line.split(":\t", 1) for line in inside(running[0], "cat", "/proc/1/status").stdout.splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) == 0 and status["NoNewPrivs"] == "1"


def test_the_fast_engine_answers_on_its_proof_and_tells_nobody(running):
    assert ask(running[1], "/version")[1]["engine"] == "portable"
    quiet = inside(running[0], "python", "-c", "import onnxruntime")
    loud = inside(running[0], "env", "-u", "ORT_DISABLE_TELEMETRY", "python", "-c", "import onnxruntime")
    assert (quiet.returncode, quiet.stderr) == (0, "") and "telemetry" in loud.stderr


def test_even_without_a_read_only_root_its_program_is_safe(image):
    command = ["podman", "run", "--rm", "--no-healthcheck", "--network", "none", image, *FIND]
    told = writable(subprocess.run(command, capture_output=True, text=True, timeout=60))
    assert told == {"/log", "/tmp", "/var/tmp", "/run/lock"}  # the last three are for everybody on any Debian


def test_the_log_outlives_the_container(image, tmp_path):
    port = free_port()
    first = start(image, port, "log-that-stays")
    row = ask(port, "/schema")[1]["example"]
    said = [ask(port, "/predict", {"rows": [row]})[1]["answers"][0]["id"] for _ in range(3)]
    done("podman", "stop", "--time", "20", first)
    assert json.loads(done("podman", "inspect", first))[0]["State"]["ExitCode"] == 0, "it ends by itself when it is told to"
    second = start(image, port, "log-that-stays")
    said.append(ask(port, "/predict", {"rows": [row]})[1]["answers"][0]["id"])
    done("podman", "stop", "--time", "20", second)
    place = Path(json.loads(done("podman", "volume", "inspect", "log-that-stays"))[0]["Mountpoint"])
    shutil.copytree(place, tmp_path / "log")
    assert read_log(tmp_path / "log" / "predictions.db")["id"].tolist() == said


def test_an_engine_takes_the_tiny_image(engine, case, tmp_path):
    _, held, portable = case
    tiny_image(portable, tmp_path, "localhost/built:tiny", held)
    done("podman", "load", "--input", tmp_path / "image.tar")
    about = json.loads(done("podman", "image", "inspect", "localhost/built:tiny"))[0]
    assert about["Digest"] == read_image(tmp_path / "image.tar").digest and about["User"] == SERVICE_USER
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in held.rows)
    command = ["podman", "run", "--rm", "--interactive", "--read-only", "--network", "none", "--cap-drop", "ALL", "localhost/built:tiny"]
    found = subprocess.run(command, input=lines, capture_output=True, text=True, encoding="utf-8", timeout=120)
    answers = [json.loads(line) for line in found.stdout.splitlines()]
    assert found.returncode == 1 and len(answers) == len(held.rows)  # 1: some rows are refused
    for got, wanted in zip(answers, held.answers, strict=True):
        assert ("error" in got) == (wanted is None)
        assert wanted is None or got["scores"] == pytest.approx(wanted["scores"], abs=1e-12)


def test_a_build_that_fails_says_why(engine, case, tmp_path):
    folder = to_container(case[0], tmp_path, base="localhost/no-such-base:1")
    with pytest.raises(BadInput, match="no-such-base"):
        build_image(folder, "localhost/never:1", options=["--isolation=chroot", "--pull=never"])
