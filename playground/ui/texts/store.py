"""Texts about the store, the private dataset that votes are copied to.

Boundary: words; the state comes from `publishing`.
"""

from __future__ import annotations

from playground.ui.texts.language import _

SYNCED = _("Synced to the store on the hub up to vote {votes:,}, {age} ago.")
WAITING = _("Synced to the store on the hub up to vote {votes:,}, {age} ago; waiting for the next copy: {waiting}.")
LATE = _("Not synced to the store on the hub for {age}; only on this machine: {waiting}.")
NEVER = _("Not synced to the store on the hub yet; only on this machine: {waiting}.")
REASON = _("Reason: {error}.")
WARNING = _("Look at this: {warning}.")
WHERE = _("The store is the dataset {repo}.")
UNKNOWN = _("The state of the store is unknown: {error}")
