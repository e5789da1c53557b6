"""Make text of models and visitors safe to show: escaped HTML, and Markdown that cannot leave its box.

The browser's sanitizer, `contain` in the style sheet and the Content-Security-Policy are further lines of defence.

Boundary: pure functions on strings. Only what is drawn goes through here; stored and copied text stays exact.
"""

from playground.ui.rendering.answer_html import answer_html
from playground.ui.rendering.escaping import escape, live_region, page_head, with_link
from playground.ui.rendering.markdown import answer_markdown
from playground.ui.rendering.mathematics import LATEX_DELIMITERS

__all__ = ["LATEX_DELIMITERS", "answer_html", "answer_markdown", "escape", "live_region", "page_head", "with_link"]
