"""Decode loops: several rows at once from one cache, or one row at a time by transformers' ``generate``."""
