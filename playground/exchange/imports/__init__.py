"""Imports: one file per format, and one function that reads them all.

Boundary: reads files, writes to the store; knows neither the journal nor Gradio.
"""

from playground.exchange.imports.importing import Imported, import_file
from playground.exchange.imports.known import FORMATS, WITHOUT_VOTES

__all__ = ["FORMATS", "WITHOUT_VOTES", "Imported", "import_file"]
