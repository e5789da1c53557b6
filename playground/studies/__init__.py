"""Studies: files of instructions, and stored answers to them.

Boundary: knows files, records and the database; no engine and no page.
"""
