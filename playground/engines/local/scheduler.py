"""Decide which models load now, and which give their memory to others.

Boundary: on the engine's thread; plans and asks supervisors, knows neither processes nor messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playground.engines.local.model_states import ModelEvent, ModelState
from playground.engines.local.placement import MAX_ROWS, Device, How, rows_beside
from playground.engines.local.planning import plan
from playground.engines.local.supervisor import Supervisor


class Scheduler:
    """Launches within the allowed number and the memory; the models of one engine take turns.

    Args:
        drain_s: a row that waits longer for memory makes a busy model drain.
    """

    def __init__(
        self,
        find_devices: Callable[[], Sequence[Device]],
        loads_at_once: int,
        drain_s: float,
        now_s: Callable[[], float],
        most_rows: int = MAX_ROWS,
    ) -> None:
        self._find_devices = find_devices
        self._devices: tuple[Device, ...] = ()  # found when the first model comes
        self._loads_at_once = loads_at_once
        self._drain_s = drain_s
        self._now_s = now_s
        self._most_rows = most_rows
        self._drained_for: dict[Supervisor, Supervisor] = {}  # a draining model: the one that waits for its memory

    def tend(self, models: Sequence[Supervisor]) -> None:
        """Do what is due: launch models, end hung workers, let models drain, sleep and resume."""
        self._place(models)
        self._resume()
        free_loads = self._loads_at_once - sum(model.state is ModelState.LOADING for model in models)
        claimed: set[str] = set()  # devices that a model waits for: one that came later does not take them
        for model in sorted(models, key=lambda model: model.rows.waiting_since):
            devices = tuple(model.placement.shares) if model.placement else ()
            if free_loads > 0 and model.wants_launch and claimed.isdisjoint(devices):
                rows = self._rows_for(model, models)
                if rows:
                    model.launch(rows)
                    free_loads -= 1
                elif model.wants_launch:
                    claimed |= set(devices)
            model.check()

    def _place(self, models: Sequence[Supervisor]) -> None:
        """Plan anew when a model has come."""
        if all(model.placement is not None for model in models):
            return
        self._devices = self._devices or tuple(self._find_devices())
        placements = plan([model.card for model in models], self._devices)
        for model in models:
            model.placement = placements[model.card.id]

    def _rows_for(self, model: Supervisor, models: Sequence[Supervisor]) -> int:
        """The rows that the model may write if it is loaded now; 0 if there is no memory, which others then free."""
        placed = model.placement
        if placed is None:
            return 0
        if placed.how is How.TOO_LARGE:
            model.handle(ModelEvent.REFUSE, f"{model.card.name} {placed.words}")
            return 0
        others = [other for other in models if other is not model and other.held]
        rows = rows_beside(placed, (other.held for other in others if other.held), self._devices)
        if rows:
            return min(rows, self._most_rows)
        if model.rows:
            model.wait("waiting for memory")
            in_the_way = [o for o in others if o.held and not {*o.held.placement.shares}.isdisjoint(placed.shares)]
            self._free_memory(in_the_way, model)
        else:
            model.sleep()
        return 0

    def _free_memory(self, others: Sequence[Supervisor], waiter: Supervisor) -> None:
        """Have the least recently used model sleep if it is idle; drain it if the waiter has waited long."""
        if not all(other.state.has_worker for other in others):  # one is about to be gone
            return
        ready = sorted((other for other in others if other.state.answers), key=lambda other: other.rows.used_at)
        idle = [other for other in ready if other.rows.are_unsent]
        waited_s = self._now_s() - waiter.rows.waiting_since
        if idle:
            idle[0].sleep()
        elif ready and waiter not in self._drained_for.values() and waited_s > self._drain_s:
            ready[0].handle(ModelEvent.DRAIN)
            self._drained_for[ready[0]] = waiter

    def _resume(self) -> None:
        """End the draining of models that have made way, or whose waiter needs them no more."""
        for model, waiter in tuple(self._drained_for.items()):
            is_waiting = waiter.state.shown == ModelState.QUEUED and waiter.rows
            if not (model.state is ModelState.DRAINING and is_waiting):
                model.handle(ModelEvent.RESUME)
                del self._drained_for[model]
