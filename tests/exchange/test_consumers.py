"""Each file is read back, row by row, by the programs that it is for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from playground.exchange import FORMATS, export
from playground.records import Instruction
from tests.support.cast import ADA, House
from tests.support.exporting import add_vote, first_container, options, three_votes

DIFFICULT = 'naïve – 好 "quoted", =1+1\n\u2028👩‍👩‍👧 NA'

TABLES = [(format.name, ending) for format in FORMATS.values() for ending in format.containers if ending != ".json"]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[tuple[str, str], Path]]:
    """Every format in every container, with a difficult text and a strength among the rows."""
    folder = tmp_path_factory.mktemp("consumers")
    home: House = three_votes(folder)
    asked = Instruction(DIFFICULT, category="maths")
    home.battle_is_open("difficult", ends={side: {"text": f"{DIFFICULT} {side}"} for side in "ab"}, instruction=asked)
    add_vote(home, "difficult", "a", strength=1.5)
    made = {}
    for format in FORMATS.values():
        for ending in format.containers:
            made[format.name, ending] = folder / f"{format.name}{ending}"
            export(home.store, format.name, made[format.name, ending], options(format.name))
    yield made
    home.store.close()


def by_datasets(path: Path, cache: Path) -> Rows:
    import datasets

    kind = {".jsonl": "json", ".csv": "csv", ".parquet": "parquet"}[path.suffix]
    how = {"keep_default_na": False, "encoding": "utf-8-sig"} if kind == "csv" else {}
    table = datasets.load_dataset(kind, data_files=str(path), split="train", cache_dir=str(cache), **how)
    return [dict(row) for row in table]


def by_pandas(path: Path, cache: Path) -> Rows:
    import pandas

    if path.suffix == ".csv":
        frame = pandas.read_csv(path, keep_default_na=False, encoding="utf-8-sig")
    else:
        frame = pandas.read_parquet(path) if path.suffix == ".parquet" else pandas.read_json(path, lines=True)
    return list(frame.to_dict("records"))


def by_duckdb(path: Path, cache: Path) -> Rows:
    import duckdb

    read = {".csv": "read_csv", ".jsonl": "read_json_auto", ".parquet": "read_parquet"}[path.suffix]
    found = duckdb.connect().execute(f"SELECT * FROM {read}('{path}')")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def by_polars(path: Path, cache: Path) -> Rows:
    import polars

    if path.suffix == ".csv":
        return polars.read_csv(path, infer_schema=False).to_dicts()
    return (polars.read_parquet(path) if path.suffix == ".parquet" else polars.read_ndjson(path)).to_dicts()


READERS: Mapping[str, Callable[[Path, Path], Rows]] = {
    "datasets": by_datasets,
    "pandas": by_pandas,
    "duckdb": by_duckdb,
    "polars": by_polars,
}


@pytest.mark.slow
@pytest.mark.parametrize(("format", "ending"), TABLES)
@pytest.mark.parametrize("reader", READERS)
def test_file_is_read_by_its_consumers(
    files: Mapping[tuple[str, str], Path], tmp_path: Path, reader: str, format: str, ending: str
) -> None:
    rows = READERS[reader](files[format, ending], tmp_path)
    path = files[format, ".jsonl" if (format, ".jsonl") in files else ending]
    number = len(path.read_text().splitlines()) if path.suffix == ".jsonl" else 4
    assert len(rows) == number
    optional = FORMATS[format].optional
    assert sorted(name for name in rows[-1] if name not in optional) == sorted(
        name for name in FORMATS[format].columns if name not in optional
    )
    told = [value for value in rows[-1].values() if isinstance(value, str)]
    if format in ("pairs", "trl-preference", "trl-unpaired", "autoarena"):
        assert DIFFICULT in told
    if format in ("trl-preference", "autoarena", "pairs"):
        assert f"{DIFFICULT} a" in told


@pytest.mark.slow
def test_ids_and_params_of_votes_are_usable(files: Mapping[tuple[str, str], Path], tmp_path: Path) -> None:
    for reader in ("datasets", "duckdb", "polars"):
        rows = READERS[reader](files["votes", ".parquet"], tmp_path)
        side = rows[-1]["sides"][0]
        assert list(side["token_ids"]) == [7, 8, 2]
        assert json.loads(side["params"])["temperature"] == 0.7
        assert (rows[-1]["rater_id"], rows[-1]["strength"], rows[0]["strength"]) == (ADA, 1.5, None)


def test_difficult_texts_are_in_every_file(files: Mapping[tuple[str, str], Path]) -> None:
    for format in FORMATS:
        if not FORMATS[format].two_models:
            assert "好" in files[format, first_container(format)].read_text("utf-8")
