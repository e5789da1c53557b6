"""Hugging Face Spaces: the folder that is pushed to one, and a look at a running one from outside.

Boundary: files and HTTP; opens no database and starts no model.
"""
