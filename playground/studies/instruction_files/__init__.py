"""Files of instructions as people have them, in any container and with any of the usual names of columns."""

from playground.studies.instruction_files.cleaning import Cleaned, clean_rows
from playground.studies.instruction_files.columns import FIELDS, Columns, read_overrides
from playground.studies.instruction_files.reading import BadRow, FileInstruction, InstructionFile, open_file

__all__ = [
    "FIELDS",
    "BadRow",
    "Cleaned",
    "Columns",
    "FileInstruction",
    "InstructionFile",
    "clean_rows",
    "open_file",
    "read_overrides",
]
