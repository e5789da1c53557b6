"""The pocket models: five small models of our own, one per card, and everything that makes them.

Boundary: a workshop, not part of the running product. Nothing else imports it; the product only reads the finished
folders under `weights/` like any other checkpoint. Words and facts are data (`data/*.toml`); `torch` and
`transformers` are imported by the training side alone.
"""
