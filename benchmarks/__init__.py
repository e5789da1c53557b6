"""Measured side by side with peers; each file that has a `main` is run by itself."""
