"""Weights from the hub: looked for in its cache on this machine, and fetched when that is allowed.

The cache is the one that other programs use too, in the layout that the library documents: `blobs` by checksum,
`snapshots` by commit, `refs` by branch. Small files come through the library's own download. Large ones come through
its `http_get` into a file that outlives the process, since the library itself begins a file that was cut by a killed
process anew; and their checksums are compared, since over plain HTTP the library compares lengths only.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from sre_core import logs
from sre_core.errors import ConfigError, UnavailableError
from sre_smollm.weights.hub_errors import told
from sre_smollm.weights.hub_listing import Listing, RemoteFile, listed

__all__ = ["Fetched", "HubPlace", "cached", "fetch"]

log = logs.get_logger(__name__)

_PLACE = re.compile(
    r"(?P<hub_id>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>\w[\w./-]*))?(:(?P<file>[^:\\]+\.gguf))?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPlace:
    """A model on the hub, written `owner/name`, `owner/name@revision`, `owner/name:file.gguf` or all of it."""

    hub_id: str
    revision: str = "main"
    file: str | None = None

    @classmethod
    def parse(cls, text: str) -> "HubPlace | None":
        """The place that a text names, or None if it has another form."""
        match = _PLACE.fullmatch(text)
        if match is None or ".." in text or "--" in match["hub_id"]:
            return None
        return cls(hub_id=match["hub_id"], revision=match["revision"] or "main", file=match["file"])

    def __str__(self) -> str:
        """As it is written."""
        revision = "" if self.revision == "main" else f"@{self.revision}"
        return f"{self.hub_id}{revision}" + (f":{self.file}" if self.file else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What is on this machine now: a folder, or the GGUF file that was asked for; and how much had to come."""

    path: Path
    commit: str
    files: int
    fetched_files: int
    fetched_bytes: int


def cached(place: HubPlace) -> Path | None:
    """The folder or GGUF file in the cache of this machine, which may be incomplete; nothing is asked of the hub."""
    # Imported here, since it takes 0.3 s and most users never need it.
    from huggingface_hub import try_to_load_from_cache

    with told(place):
        found = try_to_load_from_cache(place.hub_id, place.file or "config.json", revision=place.revision)
    if not isinstance(found, str):
        return None
    return Path(found) if place.file else Path(found).parent


def fetch(place: HubPlace) -> Fetched:
    """Fetch what is missing, and compare every file, those that were there too, with the checksum on the hub.

    A damaged file is removed and fetched again. Goes on where a process that was killed, or lost its connection,
    stopped. Until everything is there, an older revision stays the one that `cached` finds.

    Raises NotFoundError, UnauthenticatedError, RateLimitedError or UnavailableError as the hub answers, ConfigError
    when the repository has no weights that can be read, or the disk no room.
    """
    with told(place):
        listing = listed(place.hub_id, place.revision, place.file)
        store = _Store(place.hub_id, listing)
        lacking = [file for file in listing.files if not store.holds(file)]
        store.check_room(lacking)
        for file in lacking:
            store.fetch(file)
        store.point(place.revision)
    size = sum(file.size for file in lacking)
    log.info("weights_fetched", model=str(place), commit=listing.commit, files=len(lacking), bytes=size)
    path = store.snapshot / place.file if place.file else store.snapshot
    return Fetched(
        path=path, commit=listing.commit, files=len(listing.files), fetched_files=len(lacking), fetched_bytes=size
    )


class _Store:
    """The part of the cache that belongs to one repository, at one commit."""

    def __init__(self, hub_id: str, listing: Listing) -> None:
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        self._hub_id = hub_id
        self._listing = listing
        self._cache = Path(constants.HF_HUB_CACHE)
        self._folder = self._cache / repo_folder_name(repo_id=hub_id, repo_type="model")
        self.snapshot = self._folder / "snapshots" / listing.commit

    def holds(self, file: RemoteFile) -> bool:
        """Whether the file is there, with the right checksum; a damaged one is removed."""
        path = self.snapshot / file.name
        if not path.is_file():
            return False
        if file.matches(path):
            return True
        log.warning("weights_damaged", file=str(path))
        self._drop(path)
        return False

    def check_room(self, lacking: list[RemoteFile]) -> None:
        """Raise ConfigError when the disk cannot hold what is still to come."""
        needed = sum(file.size - self._begun(file) for file in lacking)
        place = next(place for place in (self._cache, *self._cache.absolute().parents) if place.is_dir())
        free = shutil.disk_usage(place).free
        if needed > free:
            raise ConfigError(
                f"{self._hub_id!r} needs {needed / 1e6:,.0f} MB; {str(self._cache)!r} has {free / 1e6:,.0f} MB left",
                hint="free some room, or set HF_HOME to a folder on a larger disk",
            )

    def fetch(self, file: RemoteFile) -> None:
        """Bring one file into the snapshot. Raises UnavailableError when its checksum is wrong."""
        from huggingface_hub import hf_hub_download

        if file.sha256 is not None:
            self._fetch_large(file, file.sha256)
        path = Path(hf_hub_download(self._hub_id, file.name, revision=self._listing.commit))
        # The blob of a large file was compared before it got its name.
        if file.sha256 is None and not file.matches(path):
            self._drop(path)
            raise self._wrong(file)

    def point(self, revision: str) -> None:
        """Make the revision mean this commit on this machine, once everything is there."""
        if revision == self._listing.commit:
            return
        ref = self._folder / "refs" / revision
        ref.parent.mkdir(parents=True, exist_ok=True)
        scratch = ref.with_name(f"{ref.name}.incomplete")
        scratch.write_text(self._listing.commit)
        scratch.replace(ref)

    def _fetch_large(self, file: RemoteFile, sha256: str) -> None:
        blob = self._folder / "blobs" / sha256
        blob.parent.mkdir(parents=True, exist_ok=True)
        lock = self._cache / ".locks" / self._folder.name / f"{sha256}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        # The library's own lock, so that nobody else fetches the file meanwhile.
        with FileLock(lock):
            if blob.is_file() and file.matches(blob):
                return
            blob.unlink(missing_ok=True)
            part = self._part(file)
            self._continue(file, part)
            if not file.matches(part):
                part.unlink()
                raise self._wrong(file)
            part.replace(blob)

    def _continue(self, file: RemoteFile, part: Path) -> None:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # public, but not exported

        begun = self._begun(file)
        with part.open("rb+" if part.exists() else "wb") as stream:
            stream.truncate(begun)
            stream.seek(begun)
            http_get(
                hf_hub_url(self._hub_id, file.name, revision=self._listing.commit),
                stream,
                resume_size=begun,
                headers=build_hf_headers(),
                expected_size=file.size,
                displayed_filename=file.name,
            )

    def _part(self, file: RemoteFile) -> Path:
        return self._folder / "blobs" / f"{file.sha256}.sre.incomplete"

    def _begun(self, file: RemoteFile) -> int:
        part = self._part(file)
        size = part.stat().st_size if part.is_file() else 0
        return size if size <= file.size else 0

    def _drop(self, path: Path) -> None:
        """Remove a file of the snapshot, and the blob behind it."""
        blob = path.resolve()
        path.unlink()
        if blob.is_relative_to(self._folder.resolve()):
            blob.unlink(missing_ok=True)

    def _wrong(self, file: RemoteFile) -> UnavailableError:
        return UnavailableError(
            f"{file.name!r} of {self._hub_id!r} came with a wrong checksum, and was removed",
            hint="fetch it again; if it stays so, something between here and the hub changes it",
        )
