"""The ledger on the Models page: every model and variant that was ever tested here.

Boundary: draws a `Ledger`; it holds no state of a model, and no battle whose models somebody may not know yet.
"""

from __future__ import annotations

from playground.records import Ledger, LedgerEntry
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import models as texts

NONE = "–"
REVISION_CHARS = 12
"""The shown part of a commit, which has 40."""


def ledger_html(ledger: Ledger | None) -> str:
    """Return the ledger, folded."""
    title = escape(texts.LEDGER)
    if ledger is None:
        return f"<section class='ledger'><h2>{title}</h2><p class='soft'>{escape(texts.LEDGER_UNKNOWN)}</p></section>"
    variants = formats.counted(sum(entry.variant is not None for entry in ledger.entries), texts.LEDGER_VARIANTS)
    lead = texts.LEDGER_LEAD.format(here=ledger.models_here, ever=ledger.models_ever, variants=variants)
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in texts.LEDGER_HEAD)
    body = "".join(map(_line, ledger.entries))
    return (
        f"<section class='ledger' aria-label='{title}'><h2>{title}</h2><p class='soft'>{escape(lead)}</p>"
        f"<details id='models-ledger'><summary>{escape(texts.MORE)}</summary>"
        f"<div class='scroll' tabindex='0' role='group' aria-label='{title}'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details></section>"
    )


def _line(entry: LedgerEntry) -> str:
    variant, chance = entry.variant, entry.draw_probability
    cells = [NONE] * 7
    if variant is not None:
        texts_of = (variant.revision[:REVISION_CHARS], variant.template, variant.dtype)
        days = (variant.first_day, variant.last_day)
        cells = [cell or NONE for cell in (*texts_of, *days, f"{variant.battles:,}", f"{variant.drawn:,}")]
    cells += [NONE if chance is None else formats.chance(chance), state_words(entry)]
    return f"<tr><th scope='row'>{escape(entry.name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def state_words(entry: LedgerEntry) -> str:
    """Return whether a model answers here, and why not."""
    if entry.is_here:
        return texts.LEDGER_NEW if entry.variant is None else texts.LEDGER_HERE
    return texts.LEDGER_RETIRED.format(why=entry.why_retired) if entry.why_retired else texts.LEDGER_NO_REASON
