"""The ZeroGPU engine with real models, elsewhere than on ZeroGPU: the same ids as the local engine's."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from playground.engines.fleet import Fleet
from playground.engines.local.engine import LocalEngine
from playground.engines.protocol import Ended, Engine, Job, Started, Tokens
from playground.engines.zerogpu.engine import ZeroGpuEngine
from playground.engines.zerogpu.gpu_function import VARIABLE
from playground.engines.zerogpu.models import GpuModels
from playground.errors import EngineError, Unknown
from playground.records import FinishReason, ModelCard, SamplingParams
from playground.settings import Settings
from tests.support.cast import card
from tests.support.checkpoints import ROOMY, WITHOUT_END, write_checkpoint
from tests.support.columns import Column
from tests.support.patience import wait_until

LLAMA, MPT = "tiny-llama", "tiny-mpt"
SAMPLED = SamplingParams(max_new_tokens=40, do_sample=True, temperature=0.9)
ENDLESS = SamplingParams(max_new_tokens=WITHOUT_END, min_new_tokens=WITHOUT_END)


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelCard, ...]:
    folder = tmp_path_factory.mktemp("zerogpu")
    return tuple(write_checkpoint(folder / kind, kind, context=ROOMY) for kind in ("llama", "mpt"))


@pytest.fixture(scope="module")
def engine(cards: tuple[ModelCard, ...]) -> Iterator[ZeroGpuEngine]:
    engine = ZeroGpuEngine(Settings(), environ={})
    engine.open([*cards, replace(cards[0], id="missing", repo="/nowhere")])
    yield engine
    engine.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "engine-zerogpu"]


def job(row: str, params: SamplingParams = SAMPLED, seed: int = 3, ids: tuple[int, ...] = (1, 5, 9)) -> Job:
    return Job(row, ids, params, seed, (), 60.0)


def compare(engine: Engine, *asked: tuple[str, Job]) -> list[Column]:
    """Start rows as one comparison."""
    columns = []
    with engine.together():
        for model_id, asked_job in asked:
            columns.append(Column(engine, asked_job.row))
            columns[-1].begin(model_id, asked_job)
    return columns


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def local(cards: tuple[ModelCard, ...], models_of_one_process: None) -> Iterator[LocalEngine]:
    local = LocalEngine(Settings())
    local.open(cards)
    yield local
    local.close()


def test_ids_are_those_of_the_local_engine(local: LocalEngine, engine: ZeroGpuEngine) -> None:
    wait_until(lambda: {status.state for status in local.status().values()} == {"ready"})
    asked = [(LLAMA, job("a")), (MPT, job("b", seed=4)), (LLAMA, job("c", SamplingParams(max_new_tokens=30), ids=(7,)))]
    known = compare(local, *asked)
    ends = [column.finish() for column in known]
    columns = compare(engine, *asked)
    assert [column.finish() for column in columns] == ends
    assert [column.ids for column in columns] == [column.ids for column in known]
    (started,) = [event for event in columns[0].events if isinstance(event, Started)]
    assert (started.facts.engine, started.facts.dtype) == ("zerogpu", "float32")
    assert started.facts.versions["decoding"] == "rows together"


def test_rows_of_a_comparison_are_written_in_one_call(engine: ZeroGpuEngine) -> None:
    columns = compare(engine, (LLAMA, job("a", ENDLESS)), (MPT, job("b", ENDLESS)))
    alone = Column(engine, "alone")
    alone.begin(LLAMA, job("alone", ENDLESS))
    for column in (*columns, alone):
        column.wait_for(Tokens)
    assert [sorted(row.job.row for row in call.rows) for call in engine._calls] == [["a", "b"], ["alone"]]
    for column in (*columns, alone):
        engine.cancel(column.row)
        assert column.finish().finish_reason is FinishReason.CANCELLED


def test_one_row_is_cancelled_and_keeps_what_it_wrote(engine: ZeroGpuEngine) -> None:
    stopped, other = compare(engine, (LLAMA, job("stopped", ENDLESS)), (MPT, job("other")))
    stopped.wait_for(Tokens)
    engine.cancel("stopped")
    assert stopped.finish() == Ended("stopped", FinishReason.CANCELLED, written_together=1)
    assert 0 < len(stopped.ids) < WITHOUT_END
    assert other.finish().finish_reason is FinishReason.LENGTH
    engine.cancel("unknown")


@pytest.mark.parametrize("kind", [RuntimeError, AssertionError, OSError])
def test_model_that_fails_leaves_the_other_column(engine: ZeroGpuEngine, kind: type[Exception]) -> None:
    loaded = engine._models._loaded[LLAMA].loaded
    calls = iter(range(100))

    def forward(*_: object) -> None:
        if next(calls) == 5:
            raise kind("an illegal memory access was encountered")

    hook = loaded.model.register_forward_pre_hook(forward)
    try:
        broken, sound = compare(engine, (LLAMA, job("broken")), (MPT, job("sound")))
        ended = broken.finish()
        assert ended.finish_reason is FinishReason.ERROR
        assert str(ended.error).endswith(
            "(" + kind.__name__ + ": an illegal memory access was encountered); ask once more"
        )
        assert 0 < len(broken.ids) < 40
        assert sound.finish().finish_reason is FinishReason.LENGTH
    finally:
        hook.remove()
    (again,) = compare(engine, (LLAMA, job("again")))
    assert again.finish().finish_reason is FinishReason.LENGTH


def test_model_that_cannot_be_loaded_fails_alone(engine: ZeroGpuEngine) -> None:
    status = engine.status()
    assert (status["missing"].state, status[LLAMA].state) == ("failed", "ready")
    missing, sound = compare(engine, ("missing", job("missing")), (MPT, job("sound")))
    assert "there is no folder" in str(missing.finish().error)
    assert sound.finish().finish_reason is FinishReason.LENGTH
    with pytest.raises(Unknown, match=r"no model 'far'; it has: missing, tiny-llama, tiny-mpt"):
        engine.start("far", job("far"), lambda event: None)


def test_unloaded_model_ends_its_rows_and_comes_back_when_asked(engine: ZeroGpuEngine) -> None:
    ended, other = compare(engine, (LLAMA, job("a", ENDLESS)), (MPT, job("b", ENDLESS)))
    ended.wait_for(Tokens)
    engine.unload(LLAMA)
    assert ended.finish() == Ended("a", FinishReason.ERROR, "Tiny llama was unloaded")
    assert engine.status()[LLAMA].state == "off"
    engine.cancel("b")
    assert other.finish().finish_reason is FinishReason.CANCELLED
    (again,) = compare(engine, (LLAMA, job("again")))
    assert again.finish().finish_reason is FinishReason.LENGTH
    assert engine.status()[LLAMA].state == "ready"


def test_model_is_not_loaded_after_the_start(engine: ZeroGpuEngine, cards: tuple[ModelCard, ...]) -> None:
    refused: list[str] = []

    def load() -> None:
        engine.open(cards)
        try:
            engine.open([replace(cards[0], id="late", name="Late")])
        except EngineError as error:
            refused.append(str(error))

    visitor = threading.Thread(target=load)
    visitor.start()
    visitor.join()
    assert refused == [
        "Late cannot be loaded now: on ZeroGPU models are loaded at the start; name it in PLAYGROUND_MODELS and restart"
    ]


def test_closed_engine_ends_its_rows_and_refuses_more(cards: tuple[ModelCard, ...]) -> None:
    engine = ZeroGpuEngine(Settings(), environ={})
    engine.open(cards[:1])
    (column,) = compare(engine, (LLAMA, job("a", ENDLESS)))
    column.wait_for(Tokens)
    with engine.together():
        late = Column(engine, "late")
        late.begin(LLAMA, job("late"))
        engine.close()
    assert column.finish().finish_reason is FinishReason.CANCELLED
    assert late.finish().finish_reason is FinishReason.CANCELLED
    with pytest.raises(EngineError, match="closed"):
        engine.start(LLAMA, job("b"), lambda event: None)
    engine.close()


def test_measured_speed_is_kept(engine: ZeroGpuEngine) -> None:
    (column,) = compare(engine, (MPT, job("a")))
    column.finish()
    (other,) = compare(engine, (MPT, job("b")))  # its end comes after the first call's last word
    other.finish()
    assert 0 < engine._models.durations.step_s(MPT) < 30
    assert MPT in engine._models.durations._step_s


# Without a model


def line_up(**billions: float) -> list[ModelCard]:
    return [card(name, num_parameters=int(size * 1e9), dtype="bfloat16") for name, size in billions.items()]


def models(*opened: ModelCard, zerogpu: bool = True) -> GpuModels:
    return GpuModels(1, {VARIABLE: "true"} if zerogpu else {}, None)  # type: ignore[arg-type]


def test_five_models_fit_a_whole_gpu_and_a_large_one_besides_does_not() -> None:
    five = line_up(a=7, b=7, c=7, d=3.5, e=6.7)
    fits = models().plan([*five, *line_up(f=13)])
    assert [fit.fits for fit in fits.values()] == [True] * 5 + [False]
    assert fits["f"].words.startswith("needs 29.7 GB")
    assert all(fit.has_gpu for fit in fits.values())
    assert not any(fit.has_gpu for fit in models(zerogpu=False).plan(five).values())


def test_local_cards_run_on_zerogpu_where_it_is_there() -> None:
    here = card(engine="local")
    assert Fleet(Settings(), environ={VARIABLE: "true"}).plan([here])[here.id].words.startswith("ZeroGPU")
    assert not Fleet(Settings(), environ={}).plan([here])[here.id].words.startswith("ZeroGPU")


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spaces", None)
    engine = ZeroGpuEngine(Settings(), environ={VARIABLE: "true"})
    with pytest.raises(EngineError, match=r"`spaces` cannot be imported .* add it to requirements.txt"):
        engine.open([card()])
