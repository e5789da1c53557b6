"""Plans that are remembered between requests are those of committed items."""

from __future__ import annotations

import pytest

from playground.errors import StorageError
from playground.records import FinishReason
from playground.storage.database.statements import Writing
from playground.studies.plans import Plans
from tests.support.cast import generation, house
from tests.support.living import Living, living


def plan_items(plans: Plans, study: Living) -> list[int]:
    with study.home.store.reading() as reading:
        plan = plans.of(reading, "helpful")
    assert plan is not None
    return [item.number for item in plan.items]


@pytest.mark.parametrize("is_known", [True, False])
def test_items_of_a_write_that_failed_are_not_remembered(is_known: bool) -> None:
    study, plans = living(house(), 1), Plans()
    live = study.write(1)
    if is_known:
        assert plan_items(plans, study) == []

    def work(writing: Writing) -> None:
        for model in live.models:
            writing.insert_generation(generation(model, model, model, FinishReason.STOP, live.instruction))
        writing.add_live_answers(live, *live.models)
        plan = plans.of_write(writing, "helpful")
        assert plan is not None
        assert [item.number for item in plan.items] == [1]
        raise StorageError("the disk is full")

    with pytest.raises(StorageError):
        study.home.store.write(work)
    assert plan_items(plans, study) == []
    study.answer(live)
    assert plan_items(plans, study) == [1]
