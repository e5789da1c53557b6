"""Browser functions of `battle.js` for events of the page.

Boundary: strings that Gradio passes to the browser.
"""

from __future__ import annotations


def by_script(function: str, value: str = "") -> str:
    """Return a function that puts the result of `playground.function(value)` in place of the first input."""
    argument = f"'{value}'" if value else ""
    return f"(_, ...values) => [playground.{function}({argument}), ...values]"


NAMED, JUDGED, BEGUN = by_script("named"), by_script("judged"), by_script("begun")
LOOKED = by_script("looked")
ASKED, WATCHED, SETTLED = by_script("asked"), by_script("watched"), by_script("settled")
DEALT, DEALT_NEXT = by_script("dealt"), by_script("dealtNext")
RECALLED = "(sent) => playground.recalled(sent)"
"""Put a battle's composer into the fields, but for what was changed since."""
