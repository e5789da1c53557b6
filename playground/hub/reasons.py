"""Everything that the hub's library, the network and the disk raise, as one `HubError` each with its next step.

Boundary: knows kinds of errors and words; fetches nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from playground.errors import HubError

AGAIN = "run the same command again, it goes on where it stopped"
STATUS_WORDS: Mapping[int, str] = {
    401: "the hub wants a token that it knows; check the name, and set HF_TOKEN to a valid one",
    403: "access is denied; accept the model's conditions on its page and set HF_TOKEN to a token that may read it",
    404: "a file that the hub lists is not there; check the revision, then run the same command again",
    429: "the hub wants fewer requests; wait some minutes, then run the same command again",
}


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
    except (OSError, ValueError, httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise HubError(f"{repo}@{revision} cannot be fetched: {_reason(repo, error)}") from error


def _reason(repo: str, error: Exception) -> str:
    """What went wrong and what to do; the narrower kinds of error stand before the wider ones."""
    import httpx2
    from huggingface_hub import constants, errors

    hub = constants.ENDPOINT
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (errors.GatedRepoError, f"accept its conditions on {hub}/{repo} and set HF_TOKEN to a token of that account"),
        (errors.RevisionNotFoundError, "it has no such branch, tag or commit; 'main' is the usual branch"),
        (errors.RepositoryNotFoundError, f"{hub} has no such model, or a private one; check the name, or set HF_TOKEN"),
        (errors.HFValidationError, "that is no hub id; one looks like 'org/name'"),
        (errors.OfflineModeIsEnabled, "HF_HUB_OFFLINE is set; unset it, then run the same command again"),
        (errors.HfHubHTTPError, _status_words(error)),
        (httpx2.TimeoutException, f"{hub} did not answer in time; {AGAIN}"),
        (httpx2.ConnectError, f"{hub} cannot be reached; check the network, the proxy and HF_ENDPOINT"),
        (httpx2.UnsupportedProtocol, f"{hub} is no address; check HF_ENDPOINT"),
        (httpx2.HTTPError, f"the connection broke off; {AGAIN}"),
        (OSError, _disk_words(error)),
    )
    unknown = f"the answer of {hub} is not a hub's ({_one_line(error)}); check HF_ENDPOINT"
    return next((words for kind, words in reasons if isinstance(error, kind)), unknown)


def _status_words(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", 0)
    return STATUS_WORDS.get(status, f"the hub failed with status {status}; {AGAIN}")


def _disk_words(error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code is None:  # the library's own check of a file's size
        return "a file came in another size than the hub states; run the same command again"
    if code == errno.ENOSPC:
        return f"the disk is full; free some space, then {AGAIN}"
    return f"{_one_line(error)}; check the folder that HF_HOME names and its permissions"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
