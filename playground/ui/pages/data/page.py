"""The Data page: what was judged here, filtered by its address, to browse and to download.

Boundary: checks who asks, reads the address, draws; `http.downloads` serves the files.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from functools import partial

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import PlaygroundError, Refused
from playground.ui.data_address import ADDRESS_NAMES, check_access, read_address
from playground.ui.http.operator import OperatorStatus, operator_status
from playground.ui.pages.data.panels import DataPanels, DataState
from playground.ui.pages.data.view import DataReader
from playground.ui.query import check_names, echoed, read_query
from playground.ui.wiring import AT_ONCE, Updates

ASKED = "() => playgroundData.asked()"
"""The query of the address, and whether the form has to be drawn."""


THREADS = 4
"""Views that are read at once: a crowd that searches a large database waits here, and no vote behind it."""


class DataPage:
    """Components and handlers of the page; created inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self._settings = arena.settings
        self._reader = DataReader(arena)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="data-page")
        self.panels = DataPanels.build()

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, and whenever the script has changed the address."""
        panels = self.panels
        drawn = {"inputs": [panels.query, panels.fresh], "outputs": panels.outputs, "js": ASKED, **AT_ONCE}
        demo.load(self.draw, **drawn)
        panels.show.click(self.draw, trigger_mode="multiple", **drawn)

    async def draw(self, query: object, fresh: object, request: gr.Request) -> Updates:
        """Draw the view of an address."""
        standing, loop = operator_status(request), asyncio.get_running_loop()
        language = copy_context()  # an executor's threads speak English
        read = partial(language.run, self.state, query, bool(fresh), standing)
        return self.panels.render(await loop.run_in_executor(self._threads, read))

    def state(self, query: object, redraws_form: bool, standing: OperatorStatus) -> DataState:
        """Read the view of an address."""
        is_public = self._settings.data == "public"
        state = DataState(
            query=echoed(query),
            contact=self._settings.contact,
            is_operator=standing.is_operator,
            is_operators=standing.is_operator and not is_public,
            redraws_form=redraws_form,
        )
        try:
            check_access(self._settings, standing)
        except Refused:
            return replace(state, is_allowed=False)
        state = replace(state, offered=self._reader.offered())
        try:
            asked = read_query(query)
            check_names(asked, ADDRESS_NAMES)
            address = read_address(asked, standing.is_operator)
            state = replace(state, address=address)
            return replace(state, content=self._reader.content(address))
        except PlaygroundError as error:
            return replace(state, error=error.public)
