"""Write docs/settings.md from the table of settings: ``python -m tests.support.settings_page``.

Boundary: reads the settings' names, defaults and help; the words around the table are here.
"""

from __future__ import annotations

from playground.settings import Settings, table, variable
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "settings.md"
HEAD = """# Settings

Every setting has a variable and, unless it is a secret, a flag: `PLAYGROUND_MIN_FREE_MB` is `--min-free-mb`. A flag
beats its variable, which beats Gradio's own (`GRADIO_SERVER_NAME`, `GRADIO_SERVER_PORT`, `GRADIO_SHARE`). On a Space
every variable of this table is a variable or secret of the Space. `GRADIO_ROOT_PATH` and `FORWARDED_ALLOW_IPS` are for
a [reverse proxy](hosting.md).

This page is made from the code by `python -m tests.support.settings_page`.

| variable | default | meaning |
|---|---|---|
"""


def settings_page() -> str:
    """Return the page's text."""
    defaults = Settings()
    rows = []
    for setting in table():
        value = getattr(defaults, setting.name)
        shown = "empty" if value == "" else f"`{value}`"
        rows.append(f"| `{variable(setting.name)}` | {shown} | {setting.metadata['help']} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(settings_page(), "utf-8")
