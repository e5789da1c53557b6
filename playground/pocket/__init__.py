"""The pocket models: five small models of our own, one per card, with their corpus, training and scores.

Boundary: no other package imports this one; the playground reads the folders under `weights/` like any checkpoint.
Words and facts are in `data/*.toml`; only `train` and `evaluate` import torch.
"""
