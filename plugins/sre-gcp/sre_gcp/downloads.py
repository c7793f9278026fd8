"""What the headers of a download say: which version it is of, where it goes on, whether it arrived whole."""

import re
from collections.abc import Mapping
from dataclasses import replace

from multidict import MultiMapping

from sre_core.errors import ConnectorError, UnavailableError
from sre_gcp.api import Request
from sre_gcp.checksum import Checksum

__all__ = ["check_offset", "check_sum", "generation_of", "pinned"]


def generation_of(headers: Mapping[str, str], what: str) -> str:
    """The version of an object that is downloaded. Raises ConnectorError when the reply is none of the service."""
    generation = headers.get("x-goog-generation", "")
    if not generation.isdecimal():
        raise ConnectorError(
            f"{what} failed: the reply is none of Google Cloud Storage", hint="check the setting `endpoint`"
        )
    return generation


def pinned(request: Request, generation: str, offset: int) -> Request:
    """The request for the bytes of one version from `offset` on; for those of any while `generation` is empty."""
    if not generation:
        return request
    if not offset:
        return replace(request, params={**request.params, "generation": generation})
    return replace(
        request,
        params={**request.params, "generation": generation},
        headers={**request.headers, "Range": f"bytes={offset}-"},
        accepted=frozenset({416}),
    )


def check_offset(status: int, headers: Mapping[str, str], offset: int, what: str) -> bool:
    """Whether more comes, once a download was asked for from `offset` on. Raises UnavailableError when it begins
    elsewhere."""
    if not offset:
        return True
    found = re.match(r"bytes (?:\*|(\d+)-\d+)/(\d+)", headers.get("Content-Range", ""))
    if found is not None and status == 416 and int(found[2]) == offset:
        return False
    if found is None or status != 206 or found[1] != str(offset):
        raise UnavailableError(f"{what} failed: it did not go on where it broke off", hint="read it again")
    return True


def check_sum(checksum: Checksum, headers: MultiMapping[str], what: str) -> None:
    """Raise UnavailableError unless what was read is what the service says it sent."""
    # They may come in a header for each kind of sum.
    announced = re.search(r"crc32c=([^,\s]+)", ", ".join(headers.getall("x-goog-hash", ())))
    if announced is not None and announced[1] != str(checksum):
        raise UnavailableError(f"{what} failed: other bytes arrived than were sent", hint="read it again")
