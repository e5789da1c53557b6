"""Exports: one file per format, and one function that writes them all.

Boundary: reads the store, writes files; knows neither models nor Gradio.
"""

from playground.exchange.containers import CONTAINERS
from playground.exchange.exports import FORMATS, export
from playground.exchange.formats import ExportFormat, ExportOptions

__all__ = ["CONTAINERS", "FORMATS", "ExportFormat", "ExportOptions", "export"]
