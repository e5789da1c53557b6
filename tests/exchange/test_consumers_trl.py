"""TRL reads our exports: its own view of the data sets, and one real step of each trainer on a pocket model."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground.cli import main
from tests.support.import_rows import ROWS, side, write_format
from tests.support.paths import ROOT

trl = pytest.importorskip("trl", reason="needs tests/consumers-requirements.txt")
datasets = pytest.importorskip("datasets", reason="needs tests/consumers-requirements.txt")
transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

pytestmark = pytest.mark.long

POCKET = str(ROOT / "playground" / "pocket" / "weights" / "pocket-galpaca")
CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Export votes that were imported with a strength, as another program would give them."""
    folder = tmp_path_factory.mktemp("trl")
    rows = [
        ROWS["votes"]
        | {"vote_id": f"vote-{country}", "battle_id": f"battle-{country}", "strength": 1.5}
        | {"instruction": f"What is the capital of {country}?"}
        | {
            "sides": [
                side("a", "alpha", "I do not know that.", generation_id=f"{country}-a"),
                side("b", "beta", f"It is {capital}.", generation_id=f"{country}-b"),
            ]
        }
        for country, capital in CAPITALS.items()
    ]
    db = str(folder / "playground.db")
    assert main(["import", "votes", str(write_format(folder / "votes.jsonl", "votes", *rows)), "--db", db]) == 0

    def run(name: str) -> Path:
        path = folder / name
        assert main(["export", path.stem, str(path), "--db", db]) == 0
        return path

    return run


@pytest.fixture
def tokenizer() -> Any:
    made = transformers.AutoTokenizer.from_pretrained(POCKET)
    made.pad_token = made.pad_token or made.eos_token or made.convert_ids_to_tokens(0)
    made.eos_token = made.eos_token or made.pad_token
    return made


def load(path: Path) -> Any:
    kind = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet"}[path.suffix]
    cache = str(path.parent / "cache")
    return datasets.load_dataset(kind, data_files=str(path), split="train", cache_dir=cache)


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    """Return arguments of a trainer for one step on the CPU."""
    return {
        "output_dir": str(folder),
        "max_steps": 1,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "seed": 1,
        **more,
    }


def loss_of_one_step(trainer: Any, model: Any) -> float:
    """Train for one step; return its loss. The step has to change the weights."""
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    trainer.train()
    assert any(not torch.equal(before[name], weight) for name, weight in model.named_parameters())
    [loss] = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    assert math.isfinite(loss)
    return float(loss)


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".parquet"])
def test_trl_sees_a_data_set_of_preferences(export: Callable[[str], Path], ending: str) -> None:
    found = load(export(f"trl-preference{ending}"))
    assert {"prompt", "chosen", "rejected", "margin"} <= set(found.column_names)
    assert not trl.is_conversational(found[0])
    assert found[0]["margin"] == 1.5
    unpaired = trl.unpair_preference_dataset(found.select_columns(["prompt", "chosen", "rejected"]))
    assert sorted(unpaired.column_names) == ["completion", "label", "prompt"]
    ours = load(export(f"trl-unpaired{ending}"))
    rows = {(row["prompt"], row["completion"], row["label"]) for row in unpaired}
    assert {(row["prompt"], row["completion"], row["label"]) for row in ours} == rows
    assert len(rows) == 2 * len(CAPITALS)


def test_dpo_takes_a_step_on_preferences(export: Callable[[str], Path], tokenizer: Any, tmp_path: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(POCKET)
    trainer = trl.DPOTrainer(
        model=model,
        args=trl.DPOConfig(**settings(tmp_path)),
        train_dataset=load(export("trl-preference.jsonl")),
        processing_class=tokenizer,
    )
    assert loss_of_one_step(trainer, model) == pytest.approx(math.log(2), abs=1e-3)  # before it the models are equal


def test_kto_takes_a_step_on_unpaired_answers(export: Callable[[str], Path], tokenizer: Any, tmp_path: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(POCKET)
    trainer = trl.KTOTrainer(
        model=model,
        args=trl.KTOConfig(**settings(tmp_path)),
        train_dataset=load(export("trl-unpaired.jsonl")),
        processing_class=tokenizer,
    )
    assert loss_of_one_step(trainer, model) == pytest.approx(0.5, abs=1e-3)


def test_reward_model_takes_a_step_with_the_margin(
    export: Callable[[str], Path], tokenizer: Any, tmp_path: Path
) -> None:
    rows = load(export("trl-preference.jsonl"))

    def loss(rows: Any) -> float:
        torch.manual_seed(1)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(POCKET, num_labels=1)
        model.config.pad_token_id = tokenizer.pad_token_id
        trainer = trl.RewardTrainer(
            model=model,
            args=trl.RewardConfig(**settings(tmp_path, center_rewards_coefficient=None)),
            train_dataset=rows,
            processing_class=tokenizer,
        )
        return loss_of_one_step(trainer, model)

    assert loss(rows) > loss(rows.remove_columns("margin"))  # what is preferred strongly has to win by more
