"""Containers: the files that an image is built from, and images written without a container tool, unpacked and run."""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from needs import needs
from portable_cases import made, table

from mlwork.collect import load
from mlwork.core import BadInput, NotFound
from mlwork.deploy.bundle import bundle
from mlwork.deploy.container import SERVED_WITH, build_image, to_container
from mlwork.deploy.golden import golden, golden_rows
from mlwork.deploy.oci import SERVICE_USER, Image, image_files, read_image, tar_of, unpack_image
from mlwork.deploy.served import version_of
from mlwork.deploy.supply import packages_for, purl, wheel_of_mlwork
from mlwork.deploy.tiny_image import tiny_image
from mlwork.split import holdout
from mlwork.train import fit


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    "A model of a file on this machine, in a folder whose name has a blank and letters of all kinds."
    place = tmp_path_factory.mktemp("somebody's data")
    table("binary").to_csv(place / "Größe ü.csv", index=False)
    data = load(str(place / "Größe ü.csv"), target="y")
    return fit(holdout(data), model="logistic").save(place / "mein Modell №1")


@pytest.fixture(scope="module")
def context(stored, tmp_path_factory):
    "Everything that an image is built from."
    return to_container(stored, tmp_path_factory.mktemp("für alle") / "das Bild", name="size-of-things")


def instructions(context):
    "The lines of a Containerfile without comments, continued ones as one."
    text = re.sub(r"^#.*\n", "", (context / "Containerfile").read_text(encoding="utf-8"), flags=re.M)
    return [" ".join(line.split()) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


@needs("hadolint")
def test_the_containerfile_has_no_fault_that_a_linter_knows(context):
    done = subprocess.run(["hadolint", "--failure-threshold", "style", str(context / "Containerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    bad = subprocess.run(["hadolint", "-"], input="FROM python\nRUN cd / && pip install x\n", capture_output=True, text=True)
    assert bad.returncode  # it does look


def test_the_containerfile_is_of_two_parts_and_runs_as_nobody_much(context):
    lines = instructions(context)
    bases = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert len(bases) == 2 and len(set(bases)) == 1 and re.fullmatch(r"docker\.io/library/python:\d+\.\d+\.\d+-slim", bases[0])
    last = lines[lines.index(f"FROM {bases[1]}") :]
    assert f"USER {SERVICE_USER}" in last and not SERVICE_USER.startswith("0")
    after = last[last.index(f"USER {SERVICE_USER}") :]
    assert not [line for line in after if line.startswith(("COPY", "RUN", "ADD"))], "what root made stays root's"
    told = next(line for line in last if line.startswith("ENV")).split()
    assert {"OMP_NUM_THREADS=1", "ORT_DISABLE_TELEMETRY=1"} <= set(told)
    assert sum(line.startswith("HEALTHCHECK") for line in last) == 1
    assert json.loads(last[-1].removeprefix("CMD ")) == [
        *"mlwork serve /model --host 0.0.0.0 --port 8000 --log /log/predictions.db".split()
    ]
    assert not re.search(r"@[A-Z]+@", "".join(lines))


def test_what_is_copied_is_there_and_nothing_else_reaches_the_builder(context):
    copied = [line.split()[1].rstrip("/") for line in instructions(context) if line.startswith("COPY") and "--from" not in line]
    ignored = (context / ".containerignore").read_text().split()
    assert ignored[0] == "*" and {line.removeprefix("!") for line in ignored[1:]} == set(copied)
    assert all((context / name).exists() for name in copied)
    assert (context / ".containerignore").read_bytes() == (context / "Containerfile.dockerignore").read_bytes()


def test_compose_takes_away_what_is_not_needed(context):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    told = yaml.safe_load((context / "compose.yaml").read_text(encoding="utf-8"))
    service = told["services"]["model"]
    assert told["name"] == "size-of-things" and list(told["volumes"]) == ["log"] and service["volumes"] == ["log:/log"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit", "tmpfs", "healthcheck"} <= set(service)
    assert all(p.startswith("127.0.0.1:") for p in service["ports"])
    check = next(line for line in instructions(context) if line.startswith("HEALTHCHECK"))
    assert json.loads(check[check.index("[") :]) == service["healthcheck"]["test"][1:]


def test_the_model_is_the_same_to_the_byte(context, stored):
    assert contents(context / "model") == contents(stored)
    version = version_of(stored)
    assert f"localhost/size-of-things:{version}" in (context / "compose.yaml").read_text()
    assert any(f'image.version="{version}"' in line for line in instructions(context))


def _all_bytes(name, content):
    "A file, and what is packed in it."
    yield name, content
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for entry in packed.namelist():
                yield f"{name}:{entry}", packed.read(entry)


def test_nothing_tells_of_the_machine(context, stored, repository):
    places = {str(stored.parent), str(repository), str(context.parent), sys.prefix, str(Path.home()) + "/"} - {"//"}
    words = [p.encode() for p in places] + [json.dumps(p)[1:-1].encode() for p in places]
    found = [n for name, c in contents(context).items() for n, part in _all_bytes(name, c) if any(w in part for w in words)]
    assert not found
    told = json.loads((context / "model" / "provenance.json").read_text(encoding="utf-8"))
    assert told["certificate"]["source"] == "Größe ü.csv"


def test_all_may_read_and_only_the_owner_may_write(stored, tmp_path):
    before = os.umask(0o077)
    try:
        folder = to_container(stored, tmp_path / "image")
    finally:
        os.umask(before)
    modes = {p.relative_to(folder).as_posix(): p.stat().st_mode & 0o777 for p in folder.rglob("*")}
    assert set(modes.values()) == {0o644, 0o755} and folder.stat().st_mode & 0o777 == 0o755
    assert {m for p, m in modes.items() if (folder / p).is_file()} == {0o644}


def test_the_same_model_gives_the_same_files(context, stored, tmp_path, monkeypatch):
    again = to_container(stored, tmp_path / "again", name="size-of-things")
    assert contents(again) == contents(context)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    later = to_container(stored, tmp_path / "later", name="size-of-things")
    assert {n for n, c in contents(later).items() if c != contents(context)[n]} == {"sbom.cdx.json"}
    assert json.loads((later / "sbom.cdx.json").read_text())["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(BadInput, match="SOURCE_DATE_EPOCH"):
        to_container(stored, tmp_path / "never")


def test_a_second_export_drops_old_wheels_and_keeps_what_is_not_ours(stored, tmp_path):
    to_container(stored, tmp_path)
    (tmp_path / "wheels" / "old-1-py3-none-any.whl").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("mine")
    to_container(stored, tmp_path)
    assert [p.name for p in (tmp_path / "wheels").iterdir()] == [wheel_of_mlwork()[0]] and (tmp_path / "notes.txt").exists()


def test_pins_are_what_is_installed_and_mlwork_comes_from_no_index(context):
    lines = (context / "requirements.txt").read_text().splitlines()
    own = [line for line in lines if "mlwork" in line]
    assert len(own) == 1 and own[0].startswith("./wheels/") and (context / own[0]).is_file()
    pins = dict(line.split("==") for line in lines if "==" in line)
    assert {n: version(n) for n in pins} == pins and {"scikit-learn", "pandas", "fastapi", "uvicorn", "skops"} <= set(pins)
    assert not {"pytest", "nbdev", "jupyterlab"} & set(pins)


def test_the_wheel_can_be_installed_and_starts(tmp_path):
    name, content = wheel_of_mlwork()
    (tmp_path / name).write_bytes(content)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(tmp_path / "there")]
    done = subprocess.run([*pip, str(tmp_path / name)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    code = "import mlwork.deploy.web, mlwork.cli; from mlwork.collect import load; print(mlwork.__file__, len(load('sample:wine').frame))"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "there")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    where, rows = done.stdout.split()
    assert Path(where).is_relative_to(tmp_path / "there") and int(rows) > 100


def test_packages_follow_extras_and_markers():
    bare, more = packages_for(["uvicorn"]), packages_for(["uvicorn[standard]"])
    assert "httptools" not in bare and "httptools" in more and "httptools" in more["uvicorn"].needs
    assert "colorama" not in packages_for(["click"]) or sys.platform == "win32"
    with pytest.raises(NotFound, match="no-such-package-here"):
        packages_for(["no-such-package-here"])


def test_the_bill_of_materials_names_every_part(context):
    bill = json.loads((context / "sbom.cdx.json").read_text(encoding="utf-8"))
    parts = {c["bom-ref"]: c for c in bill["components"]}
    packages = packages_for(SERVED_WITH)
    assert {purl(p) for p in packages.values()} == {r for r in parts if r.startswith("pkg:")}
    wheel = next((context / "wheels").glob("*.whl"))
    assert parts[purl(packages["mlwork"])]["hashes"][0]["content"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert all("licenses" in parts[purl(packages[n])] for n in ("numpy", "scikit-learn", "mlwork", "seaborn"))
    refs = {d["ref"] for d in bill["dependencies"]} | {r for d in bill["dependencies"] for r in d["dependsOn"]}
    assert refs == set(parts) | {"image"} and parts["model"]["type"] == "machine-learning-model"
    assert unquote(parts["base"]["name"]).startswith("docker.io/library/python:")


def test_the_bill_of_materials_keeps_to_its_schema(context):
    check = JsonStrictValidator(SchemaVersion.V1_6).validate_str
    bill = (context / "sbom.cdx.json").read_text(encoding="utf-8")
    assert check(bill) is None
    assert check(bill.replace('"library"', '"a library"')) is not None


@pytest.mark.parametrize("name", ["", "Big", "a b", "ä", "x/../y", 'a"b', "-a", "a\nUSER 0"])
def test_a_name_that_engines_do_not_take_is_refused(stored, tmp_path, name):
    with pytest.raises(BadInput, match="name of an image"):
        to_container(stored, tmp_path, name=name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("base", ["python", "python:3.11 AS x", "python:3.11\nRUN x", "$BASE:1"])
def test_a_base_without_tag_or_with_more_words_is_refused(stored, tmp_path, base):
    with pytest.raises(BadInput, match="base image"):
        to_container(stored, tmp_path, base=base)


def test_a_base_may_be_pinned_by_its_digest(stored, tmp_path):
    base = "registry.example:5000/python@sha256:" + "a" * 64
    assert f"FROM {base} AS builder" in instructions(to_container(stored, tmp_path, base=base))


def test_a_model_that_cannot_be_opened_is_not_packed(stored, tmp_path):
    shutil.copytree(stored, tmp_path / "model")
    (tmp_path / "model" / "recipe.json").write_text("{}")
    with pytest.raises(BadInput, match="as it was saved"):
        to_container(tmp_path / "model", tmp_path / "image")
    assert not (tmp_path / "image").exists()


def test_building_says_what_is_missing(context, tmp_path, monkeypatch):
    with pytest.raises(NotFound, match="Containerfile"):
        build_image(tmp_path, "localhost/x:1")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotFound, match="buildah.*podman.*docker.*apt-get"):
        build_image(context, "localhost/x:1")


# images without a tool


def written(folder, layout):
    for name, content in layout.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


_part = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda t: t not in (".", "..")
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.tuples(st.sampled_from("abc"), _part), st.binary(max_size=2000), max_size=5))
def test_an_image_gives_back_what_was_packed(tmp_path_factory, files):
    files = {"/".join(parts): content for parts, content in files.items()}
    folder = tmp_path_factory.mktemp("image")
    layout = image_files(tar_of(files), ["/a/x"], "localhost/x:1")
    image = read_image(written(folder / "layout", layout))
    (folder / "image.tar").write_bytes(tar_of(layout))
    assert read_image(folder / "image.tar") == image
    if all(len(name.encode()) < 200 for name in files):
        assert contents(unpack_image(image, folder / "root")) == files


@pytest.mark.parametrize("name", ["", "x", "X/y:1", "a b:1", "x:", "x:1:2", "ä:1", "x/:1", "x:1\n", "x:" + "a" * 129])
def test_an_image_needs_a_name_that_engines_take(name):
    with pytest.raises(BadInput, match="every engine takes"):
        image_files(tar_of({"a": b"1"}), ["/a"], name)


@pytest.mark.parametrize("name", ["x:1", "localhost/mlwork-model:tiny", "registry.example:5000/a/b_c:V1.2-x"])
def test_usual_names_are_taken(name):
    assert image_files(tar_of({"a": b"1"}), ["/a"], name)["index.json"]


@pytest.mark.parametrize("kind", ["config", "layer", "manifest"])
def test_a_changed_blob_is_noticed(tmp_path, kind):
    layout = image_files(tar_of({"a": b"1"}), ["/a"], "localhost/x:1")
    read_image(written(tmp_path, layout))
    index = json.loads(layout["index.json"])["manifests"][0]["digest"]
    manifest = json.loads(layout["blobs/" + index.replace(":", "/")])
    digest = {"config": manifest["config"]["digest"], "layer": manifest["layers"][0]["digest"], "manifest": index}[kind]
    blob = tmp_path / "blobs" / digest.replace(":", "/")
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    blob.write_bytes(content)
    with pytest.raises(BadInput, match="as it was written"):
        read_image(tmp_path)
    blob.unlink()
    with pytest.raises(BadInput, match="all that it leads to"):
        read_image(tmp_path)


def test_a_configuration_of_other_layers_is_refused(tmp_path):
    one, two = (image_files(tar_of({"a": c}), ["/a"], "localhost/x:1") for c in (b"1", b"2"))

    def manifest_of(layout):
        return json.loads(layout["blobs/" + json.loads(layout["index.json"])["manifests"][0]["digest"].replace(":", "/")])

    mixed = json.dumps(manifest_of(one) | {"layers": manifest_of(two)["layers"]}).encode()
    digest = hashlib.sha256(mixed).hexdigest()
    index = json.loads(one["index.json"])
    index["manifests"][0] |= {"digest": f"sha256:{digest}", "size": len(mixed)}
    written(tmp_path, one | two | {f"blobs/sha256/{digest}": mixed, "index.json": json.dumps(index).encode()})
    with pytest.raises(BadInput, match="name the layers"):
        read_image(tmp_path)


def test_what_is_no_image_is_refused(tmp_path):
    with pytest.raises(NotFound, match="folder or an archive"):
        read_image(tmp_path / "nothing")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(BadInput, match="index.json"):
        read_image(tmp_path)
    with pytest.raises(BadInput, match="index.json"):
        read_image(tmp_path / "text")
    layout = image_files(tar_of({"a": b"1"}), ["/a"], "localhost/x:1") | {"oci-layout": b'{"imageLayoutVersion": "2.0.0"}'}
    with pytest.raises(BadInput, match="1.0.0"):
        read_image(written(tmp_path / "two", layout))


@pytest.mark.parametrize(
    "name, kind", [("../out", tarfile.REGTYPE), ("/out", tarfile.REGTYPE), ("in", tarfile.SYMTYPE), ("in", tarfile.LNKTYPE)]
)
def test_a_layer_that_leads_outside_is_refused(tmp_path, name, kind):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
    with pytest.raises(BadInput, match="below its top"):
        unpack_image(Image("x", "", {}, [packed.getvalue()]), tmp_path / "root")
    assert not list((tmp_path / "root").iterdir()) and not (tmp_path / "out").exists()


def needs_no_loader(program):
    "Whether an ELF program asks for no dynamic loader: no PT_INTERP (3) among its headers. 64 bits, little-endian."
    content = program.read_bytes()
    assert content[:6] == b"\x7fELF\x02\x01"
    start, size, count = (int.from_bytes(content[a:b], "little") for a, b in ((32, 40), (54, 56), (56, 58)))
    return all(int.from_bytes(content[start + i * size :][:4], "little") != 3 for i in range(count))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    "A tiny image with its model."
    folder, portable = tmp_path_factory.mktemp("tiny"), bundle(made("binary", "logistic", {}))
    held = golden(portable, golden_rows(portable, mixed=40)[::4])
    return folder, portable, held, tiny_image(portable, folder, "localhost/size:tiny", held)


@needs("gcc")
def test_a_tiny_image_is_one_static_program(tiny, tmp_path):
    folder, portable, held, certificate = tiny
    assert certificate["proved"] and certificate["rows"] == len(held.rows) > 40 and certificate["largest_difference"] < 1e-12
    assert (folder / "image.tar").stat().st_size < 1_000_000
    image = read_image(folder / "image.tar")
    assert image == read_image(folder / "oci") and image.name == "localhost/size:tiny"
    root = unpack_image(image, tmp_path)
    assert [p.name for p in root.iterdir()] == ["predict"] and os.access(root / "predict", os.X_OK)
    assert (root / "predict").stat().st_mode & 0o777 == 0o755 and needs_no_loader(root / "predict")
    said = image.config["config"]
    assert said["User"] == SERVICE_USER and said["Entrypoint"] == ["/predict"] and said["Labels"]["mlwork.model.sha256"] == portable.sha256


@needs("gcc")
def test_the_digests_are_what_other_tools_compute(tiny):
    folder = tiny[0]
    top = json.loads((folder / "oci" / "index.json").read_text())["manifests"][0]
    for path in (folder / "oci" / "blobs" / "sha256").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    older = json.loads((folder / "oci" / "manifest.json").read_text())[0]
    manifest = json.loads((folder / "oci" / "blobs" / top["digest"].replace(":", "/")).read_text())
    assert older["Config"] == "blobs/" + manifest["config"]["digest"].replace(":", "/")
    with tarfile.open(folder / "image.tar") as tar:
        assert {(e.mtime, e.uid, e.gid, e.uname, e.gname) for e in tar} == {(0, 0, 0, "", "")}


@needs("gcc")
def test_a_tiny_image_is_always_the_same(tiny, tmp_path, monkeypatch):
    folder, portable, held, _ = tiny
    assert tiny_image(portable, tmp_path / "b", "localhost/size:tiny", held, proved=False)["stamp"] == "UNPROVED"
    assert contents(tmp_path / "b" / "oci") == contents(folder / "oci")
    assert (tmp_path / "b" / "image.tar").read_bytes() == (folder / "image.tar").read_bytes()


@needs("gcc", "chroot")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may change the root folder")
def test_the_program_runs_where_nothing_else_is(tiny, tmp_path):
    folder, portable, held, _ = tiny
    root = unpack_image(read_image(folder / "image.tar"), tmp_path / "root")
    command = ["chroot", f"--userspec={SERVICE_USER}", str(root), "/predict"]
    done = subprocess.run(command, input=json.dumps(held.rows[0]), capture_output=True, text=True, check=True, encoding="utf-8")
    assert json.loads(done.stdout)["scores"] == pytest.approx(held.answers[0]["scores"], abs=1e-12)


@needs("gcc")
@pytest.mark.parametrize("task, model", [("multiclass", "boosting"), ("regression", "forest")])
def test_larger_models_are_tiny_images_too(tmp_path, task, model):
    portable = bundle(made(task, model, {}))
    certificate = tiny_image(portable, tmp_path, held=golden(portable, golden_rows(portable, mixed=20)[::8]))
    assert certificate["proved"] and "unpacked" in certificate["runtime"]
