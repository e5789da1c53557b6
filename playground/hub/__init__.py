"""Models on the Hugging Face hub: where their files lie on this machine, and how they get there.

Boundary: `fetch` is the only function that touches the network; the files lie in the hub's own cache (`HF_HOME`,
`HF_HUB_CACHE`), where other programs find them too. Knows no cards.
"""

from playground.hub.cache import folder_bytes, snapshot_folder
from playground.hub.kit import is_complete, missing_files
from playground.hub.transfer import Progress, fetch

__all__ = ["Progress", "fetch", "folder_bytes", "is_complete", "missing_files", "snapshot_folder"]
