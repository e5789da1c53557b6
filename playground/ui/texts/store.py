"""Texts about the store, the private dataset that votes are copied to.

Boundary: words; the state comes from `publishing`.
"""

from __future__ import annotations

SYNCED = "Synced to the store on the hub up to vote {votes:,}, {age} ago."
WAITING = "Synced to the store on the hub up to vote {votes:,}, {age} ago; waiting for the next copy: {waiting}."
LATE = "Not synced to the store on the hub for {age}; only on this machine: {waiting}."
NEVER = "Not synced to the store on the hub yet; only on this machine: {waiting}."
REASON = "Reason: {error}."
WARNING = "Look at this: {warning}."
WHERE = "The store is the dataset {repo}."
UNKNOWN = "The state of the store is unknown: {error}"
