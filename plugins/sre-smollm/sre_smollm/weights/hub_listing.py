"""Which files of a repository on the hub make up a model, and how to tell that one came whole."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from sre_core.errors import ConfigError, NotFoundError, UnavailableError

__all__ = ["Listing", "RemoteFile", "listed", "wanted"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIDE = ("*.json", "*.jinja", "vocab.txt", "merges.txt", "tokenizer.model")
# The further modules of a sentence-transformers folder, as 1_Pooling, and the templates for other uses.
_BELOW = re.compile(r"\d+_\w+/(config\.json|model\.safetensors)|additional_chat_templates/[\w.-]+\.jinja")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_BLOCK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file on the hub. Large ones have the checksum of their content, the others the one that git gives them."""

    name: str
    size: int
    sha256: str | None
    git_sha1: str | None

    def matches(self, path: Path) -> bool:
        """Whether the file at `path` has the same length and content."""
        if path.stat().st_size != self.size:
            return False
        digest = hashlib.sha256() if self.sha256 else hashlib.sha1(usedforsecurity=False)
        if not self.sha256:
            digest.update(b"blob %d\0" % self.size)
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest() == (self.sha256 or self.git_sha1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of a model at one commit, its weights last: they are there only if all the others are."""

    commit: str
    files: tuple[RemoteFile, ...]


def listed(hub_id: str, revision: str, file: str | None) -> Listing:
    """Ask the hub for the files that are wanted of a repository.

    Raises NotFoundError when it has no such GGUF file, ConfigError when it has no weights that can be read,
    UnavailableError when the hub leaves out what is needed to check them.
    """
    from huggingface_hub import HfApi

    info = HfApi().model_info(hub_id, revision=revision, files_metadata=True)
    found = {each.rfilename: each for each in info.siblings or ()}
    names = wanted(hub_id, found, file)
    files = []
    for name in names:
        each = found[name]
        sha256 = each.lfs.sha256 if each.lfs else None
        if each.size is None or not (each.blob_id or sha256) or (sha256 and not _SHA256.fullmatch(sha256)):
            raise UnavailableError(
                f"the hub gives no checksum for {name!r} of {hub_id!r}", hint="set HF_ENDPOINT to a hub that does"
            )
        files.append(RemoteFile(name=name, size=each.size, sha256=sha256, git_sha1=each.blob_id))
    if info.sha is None:
        raise UnavailableError(f"the hub names no commit of {hub_id!r}", hint="set HF_ENDPOINT to a hub that does")
    return Listing(commit=info.sha, files=tuple(files))


def wanted(hub_id: str, names: Iterable[str], file: str | None) -> list[str]:
    """The names of the files to fetch: of the same weights in several forms only one, and never a pickle."""
    names = sorted(names)
    ggufs = [name for name in names if name.lower().endswith(".gguf")]
    offered = f"its GGUF files: {', '.join(ggufs)}" if ggufs else "it has no GGUF file"
    if file is not None:
        if file not in ggufs:
            raise NotFoundError(f"{hub_id!r} has no file {file!r}", hint=offered)
        return [file]
    top = [name for name in names if "/" not in name]
    weights = _weights(top)
    if not weights:
        pickle = next((name for name in top for kind in _PICKLES if fnmatchcase(name, kind)), None)
        hint = f"name one, as {hub_id}:{ggufs[0]}; {offered}" if ggufs else "choose a model that has *.safetensors"
        why = f"only pickles ({pickle!r}), which run code when they are read" if pickle else "no safetensors"
        raise ConfigError(f"{hub_id!r} has {why}", hint=hint)
    side = [name for name in top if any(fnmatchcase(name, kind) for kind in _SIDE)]
    below = [name for name in names if _BELOW.fullmatch(name)]
    return side + below + weights


def _weights(top: list[str]) -> list[str]:
    every = [name for name in top if name.endswith(".safetensors")]
    if "model.safetensors" in every:
        return ["model.safetensors"]
    parts = [name for name in every if re.fullmatch(r"model-\d+-of-\d+\.safetensors", name)]
    return parts or every
