"""Exports: one file per format, one function that writes them all, a preview, and lists of battles.

Boundary: reads the store, writes files; knows neither models nor Gradio.
"""

from playground.exchange.exports import FORMATS, export
from playground.exchange.files import ExportedFile
from playground.exchange.formats import ExportFormat, ExportOptions
from playground.exchange.left_out import LeftOut
from playground.exchange.manifest import Exported
from playground.exchange.preview import Browsed, Preview, browse, count_browsed, preview

__all__ = [
    "FORMATS",
    "Browsed",
    "ExportFormat",
    "ExportOptions",
    "Exported",
    "ExportedFile",
    "LeftOut",
    "Preview",
    "browse",
    "count_browsed",
    "export",
    "preview",
]
