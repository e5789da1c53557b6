"""The command `check` and the engine's points, on real checkpoints, sound and broken."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from playground.catalog.catalog import CARD_FOLDER, Catalog
from playground.cli import main
from playground.engines.local.check import check
from playground.engines.protocol import FilePoint
from playground.records import ModelCard
from tests.conftest import ROOT
from tests.support.checkpoints import rewrite, tiny_line_up

POINTS = ["configuration", "files", "weights", "numbers", "vocabulary", "decoding"]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    return tiny_line_up(tmp_path_factory.getbasetemp() / "tiny")[0]


def points(card: ModelCard) -> list[FilePoint]:
    return list(check(card, 1, {}, os.environ))


@pytest.mark.slow
def test_sound_model_passes_every_point_in_order(llama: ModelCard) -> None:
    found = points(llama)
    assert [point.name for point in found] == POINTS
    assert all(point.ok for point in found)
    assert found[-1].words == "24 tokens of 4 rows that join and leave are those of generate"


@pytest.mark.slow
def test_broken_model_stops_at_the_point_that_it_fails(llama: ModelCard, tmp_path: Path) -> None:
    folder = tmp_path / "nan"
    shutil.copytree(llama.repo, folder)
    rewrite(folder, "safetensors", lambda weights: {k: v * float("nan") for k, v in weights.items()})
    *passed, failed = points(replace(llama, repo=str(folder)))
    assert [point.name for point in passed] == POINTS[:3]
    assert (failed.name, failed.ok) == ("numbers", False)
    assert "contain NaN or infinity" in failed.words


def test_process_that_dies_is_a_failed_point(llama: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = os.environ | {"PYTHONPATH": "", "PYTHONHOME": "/nowhere"}
    (point,) = check(llama, 1, {}, broken)
    assert (point.name, point.ok) == ("process", False)
    assert "ended with status 1" in point.words


DIES = """
import os
from playground.engines.local.worker.decoding import self_check

whole = self_check.run_self_check

def run_self_check(loaded, *, recorded=True):
    if recorded and os.environ["DIES"] == "and its weights are gone":
        os.remove(os.environ["WEIGHTS"])
    if recorded or os.environ["DIES"] == "always":
        os._exit(3)
    return whole(loaded, recorded=False)

self_check.run_self_check = run_self_check
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dies", "last", "is_ok"),
    [
        ("while recording", "decoding", True),
        ("always", "process", False),
        ("and its weights are gone", "files", False),
    ],
)
def test_process_that_dies_while_recording_is_followed_by_one_that_does_not_record(
    llama: ModelCard, tmp_path: Path, dies: str, last: str, is_ok: bool
) -> None:
    folder = shutil.copytree(llama.repo, tmp_path / "llama")
    (tmp_path / "sitecustomize.py").write_text(DIES)
    weights = {"WEIGHTS": str(folder / "model.safetensors")}
    environ = os.environ | weights | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "DIES": dies}
    found = list(check(replace(llama, repo=str(folder)), 1, {}, environ))
    assert [point.name for point in found] == [*POINTS[:-1], last]
    assert [point.ok for point in found] == [True] * (len(POINTS) - 1) + [is_ok]


def test_unreadable_card_and_template_fail_their_points(llama: ModelCard, tmp_path: Path) -> None:
    def failed(folder: Path) -> tuple[str, bool]:
        out = io.StringIO()
        assert main(["check", str(folder), "--json"], out) == 1
        last = json.loads(out.getvalue())[0]["points"][-1]
        return last["name"], last["ok"]

    assert failed(tmp_path) == ("card", False)
    folder = shutil.copytree(llama.repo, tmp_path / "talker")
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    (folder / "tokenizer.json").write_text("{")
    assert failed(folder) == ("prompt", False)


@pytest.mark.slow
def test_command_prints_points_and_returns_1_if_one_fails(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    assert main(["check", "pocket-galpaca", "galpaca-30b", "nobody"], out) == 1
    text = out.getvalue()
    assert "ok      decoding" in text
    assert "FAILED  prompt         galpaca-30b: GeorgiaTechResearchInstitute/galpaca-30b is not on this machine" in text
    assert "FAILED  card           unknown model 'nobody'; valid: " in text


@pytest.mark.slow
def test_json_of_the_command_has_every_point() -> None:
    out = io.StringIO()
    assert main(["check", "pocket-minotaur", "--json"], out) == 0
    (document,) = json.loads(out.getvalue())
    assert (document["model"], document["ok"]) == ("pocket-minotaur", True)
    assert [point["name"] for point in document["points"]] == ["card", "prompt", *POINTS]


def test_weights_of_a_remote_model_are_not_checked(tmp_path: Path) -> None:
    text = (CARD_FOLDER / "pocket-orca-mini.toml").read_text()
    pocket = Catalog.load().card("pocket-orca-mini").repo
    text = text.replace('id = "pocket-orca-mini"', 'id = "far"')
    text = text.replace('repo = "../../pocket', f'repo = "{pocket}"  # "')
    lines = [line for line in text.splitlines() if not line.startswith("stands_in_for")]
    head = [*lines[:4], 'engine = "remote"', 'servers = ["http://127.0.0.1:1/v1"]', *lines[4:]]
    (tmp_path / "far.toml").write_text("\n".join(head))
    out = io.StringIO()
    assert main(["check", "far", "--cards", str(tmp_path)], out) == 0
    assert "engine         remote: its weights are not here, so they were not checked" in out.getvalue()
    assert "tokens; tokenizer.model" in out.getvalue()
