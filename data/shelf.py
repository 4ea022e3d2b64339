"""Put a table on the shelf: its CSV and its card, in data/ and as the packaged copy in mlwork/samples/."""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd

DATA = Path(__file__).resolve().parent
SAMPLES = DATA.parent / "mlwork" / "samples"
# the keys of every card, in this order
CARD = ("name title source licence retrieved_at rows columns sha256 target task roles group time known_flaws description").split()


def folder_from_command_line(text: str) -> Path:
    "Read `--out DIR`; without it the files go to data/ and, as packaged copies, to mlwork/samples/."
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--out", type=Path, default=DATA, metavar="DIR", help="folder to write to (default: data/ and mlwork/samples/)")
    return parser.parse_args().out


def write_json(value, path: Path):
    "Write readable JSON: UTF-8, one space a level (a list of dicts: one line each), Unix line ends on every system."
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, list):
        text = "[\n" + ",\n".join(json.dumps(v, ensure_ascii=False, allow_nan=False) for v in value) + "\n]"
    else:
        text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    path.write_bytes(f"{text}\n".encode())


def put(table: pd.DataFrame, card: dict, out: Path):
    "Write NAME.csv and cards/NAME.json into `out`; where `out` is data/, copy both into mlwork/samples/ too."
    content = table.to_csv(index=False, lineterminator="\n").encode()
    facts = {"rows": len(table), "columns": table.shape[1], "sha256": hashlib.sha256(content).hexdigest()}
    defaults = {"roles": {}, "group": None, "time": None, "known_flaws": []}
    whole = defaults | card | facts
    csv, note = out / f"{card['name']}.csv", out / "cards" / f"{card['name']}.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    csv.write_bytes(content)
    write_json({key: whole[key] for key in CARD}, note)
    if out.resolve() == DATA:
        SAMPLES.mkdir(exist_ok=True)
        for path in (csv, note):
            shutil.copyfile(path, SAMPLES / path.name)
