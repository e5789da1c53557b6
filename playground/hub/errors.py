"""Errors of the hub's library, the network and the disk, explained: one `HubError` each, with the next step.

Boundary: knows kinds of errors and texts; downloads nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from playground.errors import HubError

AGAIN = "run the same command again, files that are complete are kept"
STATUS_TEXTS: Mapping[int, str] = {
    401: "the hub wants a token that it knows; check the name, and set HF_TOKEN to a valid one",
    403: "access is denied; accept the model's conditions on its page and set HF_TOKEN to a token that may read it",
    404: "a file that the hub lists is not there; check the revision, then run the same command again",
    429: "the hub wants fewer requests; wait some minutes, then run the same command again",
}
WRONG_DOCUMENT = (ValueError, LookupError, TypeError, AttributeError)
"""Raised by the library when an answer is not JSON, or not the JSON that it expects."""


@contextmanager
def hub_errors(repo: str, revision: str) -> Iterator[None]:
    """Name repo and revision in every error of a download.

    Raises:
        HubError: in place of any other error.
    """
    import httpx2

    try:
        yield
    except HubError as error:
        raise HubError(f"{repo}@{revision} cannot be fetched: {error}") from error
    except (OSError, httpx2.HTTPError, httpx2.InvalidURL, RuntimeError, *WRONG_DOCUMENT) as error:
        raise HubError(f"{repo}@{revision} cannot be fetched: {explain(repo, origin(error))}") from error


def origin(error: BaseException) -> BaseException:
    """Return the error below those that only say that there is no local copy either."""
    from huggingface_hub.errors import DryRunError, LocalEntryNotFoundError

    while isinstance(error, DryRunError | LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def explain(repo: str, error: BaseException, again: str = AGAIN) -> str:
    """Return the cause and what to do; narrower kinds of error are listed before wider ones.

    `again` says what to do, or what is done, about a failure that may pass.
    """
    import httpx2
    from huggingface_hub import constants, errors

    hub = constants.ENDPOINT
    not_a_hub = f"the answer of {hub} is not a hub's ({_one_line(error)}); check HF_ENDPOINT"
    texts: tuple[tuple[type[Exception], str], ...] = (
        (errors.GatedRepoError, f"accept its conditions on {hub}/{repo} and set HF_TOKEN to a token of that account"),
        (errors.RevisionNotFoundError, "it has no such branch, tag or commit; 'main' is the usual branch"),
        (errors.RepositoryNotFoundError, f"{hub} has no such model, or a private one; check the name, or set HF_TOKEN"),
        (errors.HFValidationError, "that is not a hub id; one looks like 'org/name'"),
        (errors.OfflineModeIsEnabled, "HF_HUB_OFFLINE is set; unset it, then run the same command again"),
        (errors.FileMetadataError, not_a_hub),
        (errors.HfHubHTTPError, _explain_status(error, again)),
        (httpx2.TimeoutException, f"{hub} did not answer in time; {again}"),
        (httpx2.ConnectError, f"{hub} cannot be reached; check the network, the proxy and HF_ENDPOINT"),
        (httpx2.UnsupportedProtocol, f"{hub} is not an address; check HF_ENDPOINT"),
        (httpx2.HTTPError, f"the connection broke off; {again}"),
        (RuntimeError, f"the transfer failed ({_one_line(error)}); {again}"),  # raised by hf_xet
        (OSError, _explain_os_error(error, again)),
    )
    return next((text for kind, text in texts if isinstance(error, kind)), not_a_hub)


def _explain_status(error: BaseException, again: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", 0)
    return STATUS_TEXTS.get(status, f"the hub failed with status {status}; {again}")


def _explain_os_error(error: BaseException, again: str) -> str:
    code = getattr(error, "errno", None)
    if str(error).startswith("Consistency check failed"):  # the library's own
        return "a file came in another size than the hub states; run the same command again"
    if code is None:  # raised by hf_xet
        return f"the transfer failed ({_one_line(error)}); {again}"
    if code == errno.ENOSPC:
        return f"the disk is full; free some space, then {again}"
    return f"{_one_line(error)}; check the folder that HF_HOME names and its permissions"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
