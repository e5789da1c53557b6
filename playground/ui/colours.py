"""Fonts and colours on light and on dark: of the page's theme, and of documents that stand alone.

Boundary: values only; no Gradio.
"""

from __future__ import annotations

FONT = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'
MONO = 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace'

INK, PAPER = ("#1d1b18", "#eeeae4"), ("#fbfaf8", "#161513")
"""Colours on light and on dark, as all below."""
CARD, QUIET = ("#ffffff", "#1e1c1a"), ("#f4f1ec", "#262320")
SOFT, LINE = ("#66615b", "#a8a198"), ("#e4e0d9", "#34302c")
FIELD_LINE = ("#8d867d", "#7b746b")  # border of inputs, contrast 3 : 1 against the card
FOCUS, WARN = ("#2b5fd9", "#8fb0ff"), ("#a3331b", "#ff9f87")
