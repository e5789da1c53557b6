"""Publications are read back by the programs that they are for: datasets, DuckDB and pandas."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.publishing.publishing import every_kind, published, rows, vote
from tests.support.cast import house

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["both", "commercial"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp(request.param)
    home = house(made)
    if request.param == "both":
        every_kind(home)
    else:
        vote(home, "one")
    home.time.pass_s(60)
    published(home, made / "to")
    home.store.close()
    return made / "to"


LOAD = """
import sys
from datasets import get_dataset_config_names, load_dataset
names = get_dataset_config_names(sys.argv[1])
print(sorted(names))
for name in names:
    for split, rows in sorted(load_dataset(sys.argv[1], name).items()):
        print(name, split, len(rows))
print(load_dataset(sys.argv[1])["commercial"].column_names[0])
"""


def test_datasets_loads_every_configuration_and_split(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    ran = subprocess.run([sys.executable, "-c", LOAD, str(folder)], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert said[0] == "['generations', 'pairs', 'votes']"
    assert said[-1] == "vote_id", "pairs is the default"
    for table in ("pairs", "votes", "generations"):
        counted = sum(int(line.split()[2]) for line in said if line.startswith(f"{table} "))
        assert counted == len(rows(folder, table))
    assert len(said[1:-1]) == len(list((folder / "data").glob("*/*.parquet"))), "every split that has rows"


def test_duckdb_reads_the_query_of_the_card(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    card = (folder / "README.md").read_text()
    query = card.split("```sql\n")[1].split("```")[0]
    monkeypatch.chdir(folder)
    found = duckdb.sql(query).fetchall()
    assert sum(row[-1] for row in found) == sum(row["counts"] for row in rows(folder, "pairs"))


def test_pandas_reads_every_table(folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    for table in ("pairs", "votes", "generations"):
        frame = pandas.read_parquet(folder / "data" / table)
        assert len(frame) == len(rows(folder, table))
    assert frame["seed"].dtype == "int64"
