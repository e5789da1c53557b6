"""The playground: one instruction, several open models, side by side; votes, ratings, exports.

Nothing happens at import; ``python -m playground`` is the command line, ``app.py`` the page.
"""

__version__ = "0.1.0"
