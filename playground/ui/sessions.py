"""What Gradio keeps of each session, without what nobody reads here.

Boundary: knows one internal of Gradio: a session computes the configuration of every component of the page, for deep
links, which this page does not offer. That takes 10 ms of the thread that serves everybody, and some 100 KB, for every
call of the API that is not `gradio_client`'s, each of which is a session of its own.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import gradio as gr


@dataclass(frozen=True, slots=True)
class NoDeepLinks:
    """The page as a new session sees it: its events and components, none of them with a configuration to keep."""

    default_config: Any
    blocks: Container[int] = ()


def lighten_sessions(page: gr.Blocks) -> None:
    """Make new sessions of a launched page light."""
    page.app.state_holder.blocks = NoDeepLinks(page.default_config)
