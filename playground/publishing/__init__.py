"""Votes on the Hugging Face hub: the private store that a lost disk is restored from, and public publications.

Boundary: reads and writes datasets through `hub`, and journals and databases through `storage`. Knows no page.
"""
