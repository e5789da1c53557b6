"""What Gradio keeps of each session, without what nobody reads here.

Boundary: knows one internal of Gradio: a session computes the configuration of every component of the page, and keeps
it up to date with each value, for deep links, which this page does not offer. That takes the thread that serves
everybody 10 ms at first, and 0.2 ms for each value, and some 100 KB, for every call of the API that is not
`gradio_client`'s, each of which is a session of its own.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import gradio as gr

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Unconfigured:
    """The page's events and components, to be copied for a session that asks none of them for its configuration."""

    page: Any

    def __copy__(self) -> Any:
        own = copy(self.page)
        own.config_for_block = _nothing
        return own


@dataclass(frozen=True, slots=True)
class NoDeepLinks:
    """The page as a new session sees it: its events and components, none of them with a configuration to keep."""

    default_config: Unconfigured
    blocks: Container[int] = ()


def lighten_sessions(page: gr.Blocks) -> None:
    """Make new sessions of a launched page light."""
    page.app.state_holder.blocks = NoDeepLinks(Unconfigured(page.default_config))


def _nothing(*_: object) -> Mapping[str, Any]:
    return NOTHING
