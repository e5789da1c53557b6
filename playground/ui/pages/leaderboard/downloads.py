"""Links to the files of a board.

Boundary: a string from a `BoardView`; `http.board_files` makes two of the files, the browser draws the picture.
"""

from __future__ import annotations

from playground.ui.board_address import HIDE_RETIRED, MODEL
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape
from playground.ui.texts import leaderboard as texts


def downloads(view: BoardView) -> str:
    """Return links to the board's document and rows, and a button for the plot as a picture."""
    links = "".join(
        f"<a class='file' download href='./leaderboard/export?{escape(_query(view, container))}' "
        f"aria-label='{escape(texts.DOWNLOAD_LABEL.format(container=name))}'>{escape(name)}</a>"
        for container, name in texts.CONTAINERS.items()
    )
    picture = (
        f"<button type='button' class='file' data-png='forest' "
        f"aria-label='{escape(texts.PICTURE_LABEL)}'>{escape(texts.PICTURE)}</button>"
    )
    return f"<p class='files'>{escape(texts.DOWNLOAD)} {links}{picture}</p>"


def _query(view: BoardView, container: str) -> str:
    return view.address.query(**{MODEL: "", HIDE_RETIRED: "", "container": container})
