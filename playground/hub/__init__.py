"""Models on the Hugging Face hub: their folders on this machine, and their download.

Boundary: only `fetch` and `listed_files` use the network. Files are in the hub's own cache (`HF_HOME`,
`HF_HUB_CACHE`), where other programs find them too. Knows no cards.
"""

from playground.hub.download import fetch, listed_files
from playground.hub.model_files import best_weights, is_complete, missing_files
from playground.hub.snapshots import folder_bytes, snapshot_folder

__all__ = ["best_weights", "fetch", "folder_bytes", "is_complete", "listed_files", "missing_files", "snapshot_folder"]
