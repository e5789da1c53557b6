"""Findings and notes on whether the votes can be trusted.

Boundary: a string from a `BoardView`.
"""

from __future__ import annotations

from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape


def trust(view: BoardView) -> str:
    """Return the findings, then the notes."""
    board = view.board
    findings = "".join(f"<p><b>{escape(finding.topic)}.</b> {escape(finding.text)}</p>" for finding in board.findings)
    notes = "".join(f"<p class='soft'>{escape(note)}</p>" for note in board.notes)
    return f"{findings}{notes}"
