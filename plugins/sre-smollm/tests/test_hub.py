"""Fetching from a hub: what comes, what is kept when it is cut, and what is never taken for good."""

import hashlib
import random
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, load_file, save

from .fake_hub import FakeHub, Ran, Shell, finished, serving, shell, start  # noqa: TID252 -- the folder of tests is no package

# More than a few of the parts of 10 MB that the library writes at once, and than the buffers of a connection.
SIZE = 64 * 2**20


@pytest.fixture(scope="module")
def files(tiny_folder: Path) -> dict[str, bytes]:
    found = {file.name: file.read_bytes() for file in tiny_folder.iterdir()}
    # What the hub has beside the weights that are wanted.
    others = ("pytorch_model.bin", "onnx/model.onnx", "onnx/config.json", "README.md", "model.fp16.safetensors")
    return found | dict.fromkeys(others, b"not wanted")


@pytest.fixture(scope="module")
def large(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same with weights of many megabytes."""
    numbers = np.frombuffer(random.Random(0).randbytes(SIZE), np.uint8)
    return files | {"model.safetensors": save({**load(files["model.safetensors"]), "numbers": numbers})}


@pytest.fixture(scope="module")
async def served(files, tmp_path_factory):
    async with serving(FakeHub({})) as hub, shell(hub, tmp_path_factory.mktemp("shell")) as asking:
        yield hub, asking


@pytest.fixture
def hub(served, files) -> FakeHub:
    """The same hub for all, as new."""
    hub: FakeHub = served[0]
    vars(hub).update(vars(FakeHub({"main": dict(files)}, port=hub.port)))
    return hub


@pytest.fixture
def sre(served, tmp_path):
    asking: Shell = served[1]

    async def run(*args: str) -> Ran:
        return await asking.run(tmp_path, *args)

    return run


@pytest.fixture
def resolved(sre):
    """What a start finds: its folder, or what it says."""

    async def run(model: str = "owner/tiny", *, download: bool = False) -> str:
        ran = await sre("resolve", model, "allowed" if download else "refused")
        return ran.out.strip() or ran.err

    return run


def wanted(files: dict[str, bytes]) -> list[str]:
    unwanted = {"pytorch_model.bin", "onnx/model.onnx", "onnx/config.json", "README.md", "model.fp16.safetensors"}
    return sorted(files.keys() - unwanted)


def snapshot(hub: FakeHub, home: Path, revision: str = "main") -> Path:
    return home / "hf" / "hub" / "models--owner--tiny" / "snapshots" / hub.commit(revision)


def blobs(home: Path) -> list[Path]:
    return sorted((home / "hf" / "hub" / "models--owner--tiny" / "blobs").iterdir())


def assert_whole(hub: FakeHub, home: Path, revision: str = "main") -> None:
    folder = snapshot(hub, home, revision)
    files = hub.branches[revision]
    found = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    assert found == wanted(files)
    assert all((folder / name).read_bytes() == files[name] for name in found)
    assert not [blob for blob in blobs(home) if blob.name.endswith(".incomplete")]


def assert_failed(ran: Ran, code: int, *texts: str) -> None:
    assert ran.code == code, ran
    assert ran.err.splitlines()[-1].startswith("Hint: ")
    assert "Traceback" not in ran.err
    for text in texts:
        assert text in ran.err


async def test_a_pull_fetches_what_a_model_needs_and_a_second_one_fetches_nothing(hub, files, sre, resolved, tmp_path):
    first = await sre("pull", "owner/tiny")
    assert first.code == 0, first.err
    count = len(wanted(files))
    assert f"Fetched {count} of {count} files" in first.out
    assert f"Ready: {snapshot(hub, tmp_path)}" in first.out
    assert_whole(hub, tmp_path)
    assert sorted(hub.fetched()) == wanted(files)
    hub.asked.clear()
    second = await sre("pull", "owner/tiny")
    assert f"Nothing to fetch: {count} files are here" in second.out
    assert hub.asked == []
    # A start asks the hub nothing at all.
    hub.refusal = (500, {})
    assert await resolved() == str(snapshot(hub, tmp_path))


async def test_nothing_is_fetched_unless_the_user_allows_it(hub, resolved, tmp_path):
    refused = await resolved()
    assert "the weights of 'owner/tiny' are not on this machine" in refused
    assert "sre pull owner/tiny" in refused
    assert hub.asked == []
    assert await resolved(download=True) == str(snapshot(hub, tmp_path))
    assert_whole(hub, tmp_path)


async def test_a_connection_that_ends_early_is_taken_up_again(hub, large, sre, tmp_path):
    hub.branches["main"] = large
    hub.cut_at = 60 * 2**20
    ran = await sre("pull", "owner/tiny")
    assert ran.code == 0, ran.err
    ranges = [range_ for method, name, range_ in hub.asked if (method, name) == ("GET", "model.safetensors")]
    assert ranges[0] is None
    assert int(ranges[1].removeprefix("bytes=").rstrip("-")) >= 10 * 2**20
    assert_whole(hub, tmp_path)


async def test_a_hub_that_dies_is_told_in_words_and_the_next_pull_goes_on(large, resolved, tmp_path):
    hub = FakeHub({"main": large}, hold_at=60 * 2**20)
    async with serving(hub):
        process = await start(hub, tmp_path, "pull", "owner/tiny")
        await hub.held.wait()
    assert_failed(await finished(process), 5, "could not be fetched", "is kept")
    assert "not on this machine" in await resolved()
    hub.hold_at = None
    await assert_goes_on(hub, tmp_path)


async def test_a_process_that_is_killed_while_it_fetches_does_no_harm_and_the_next_pull_goes_on(
    large, resolved, tmp_path
):
    hub = FakeHub({"main": large}, hold_at=60 * 2**20)
    async with serving(hub):
        process = await start(hub, tmp_path, "pull", "owner/tiny")
        await hub.held.wait()
        process.kill()
        await process.communicate()
    # Neither a reader of the cache nor a start takes what is there for the whole.
    assert not (snapshot(hub, tmp_path) / "model.safetensors").exists()
    assert "not on this machine" in await resolved()
    hub.hold_at = None
    await assert_goes_on(hub, tmp_path)


async def assert_goes_on(hub: FakeHub, home: Path) -> None:
    (part,) = (blob for blob in blobs(home) if blob.name.endswith(".incomplete"))
    begun = part.stat().st_size
    assert begun >= 10 * 2**20
    hub.asked.clear()
    async with serving(hub):
        ran = await finished(await start(hub, home, "pull", "owner/tiny"))
    assert ran.code == 0, ran.err
    assert [each for each in hub.asked if each[0] == "GET"] == [("GET", "model.safetensors", f"bytes={begun}-")]
    assert_whole(hub, home)


async def test_what_was_kept_of_a_download_is_checked_too(hub, large, sre, tmp_path):
    hub.branches["main"] = large
    sha256 = hashlib.sha256(large["model.safetensors"]).hexdigest()
    part = tmp_path / "hf" / "hub" / "models--owner--tiny" / "blobs" / f"{sha256}.sre.incomplete"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(1000))
    assert_failed(await sre("pull", "owner/tiny"), 5, "wrong checksum")
    assert not part.exists()
    # One that is longer than the file is begun anew.
    part.write_bytes(bytes(SIZE + 2**20))
    ran = await sre("pull", "owner/tiny")
    assert ran.code == 0, ran.err
    assert_whole(hub, tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
async def test_a_file_with_a_wrong_checksum_is_not_kept(hub, sre, resolved, tmp_path, name):
    true = hub.branches["main"][name]
    hub.lies[name] = true[:-2] + bytes([true[-2] ^ 1]) + true[-1:]
    assert_failed(await sre("pull", "owner/tiny"), 5, f"{name!r}", "wrong checksum")
    assert not (snapshot(hub, tmp_path) / name).exists()
    # The weights come last, so that whoever finds them finds the rest.
    assert not (snapshot(hub, tmp_path) / "model.safetensors").exists()
    assert hub.lies[name] not in [blob.read_bytes() for blob in blobs(tmp_path)]
    assert "not on this machine" in await resolved()
    hub.lies.clear()
    assert (await sre("pull", "owner/tiny")).code == 0
    assert_whole(hub, tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
async def test_a_file_that_was_damaged_since_is_told_and_a_pull_mends_it(hub, sre, resolved, tmp_path, name):
    await sre("pull", "owner/tiny")
    file = snapshot(hub, tmp_path) / name
    file.resolve().write_bytes(file.read_bytes()[:-10])
    damaged = await resolved()
    assert "is damaged" in damaged
    assert name in damaged
    assert "run `sre pull owner/tiny`" in damaged
    hub.asked.clear()
    ran = await sre("pull", "owner/tiny")
    assert ran.code == 0, ran.err
    assert hub.fetched() == [name]
    assert_whole(hub, tmp_path)


@pytest.mark.parametrize(
    ("status", "headers", "text"),
    [
        (404, {"X-Error-Code": "RepoNotFound"}, "the hub has no model 'owner/tiny' for you"),
        (401, {"X-Error-Code": "RepoNotFound"}, "the hub has no model 'owner/tiny' for you"),
        (401, {"X-Error-Message": "Invalid credentials in Authorization header"}, "the hub refuses 'owner/tiny'"),
        (403, {"X-Error-Code": "GatedRepo"}, "asks for consent to its terms"),
        (403, {}, "the hub refuses 'owner/tiny'"),
        (418, {}, "the hub answered 418"),
    ],
)
async def test_a_refusal_is_told_in_words(hub, sre, status, headers, text):
    hub.refusal = (status, headers)
    assert_failed(await sre("pull", "owner/tiny"), 5, text)


async def test_a_repository_a_revision_or_a_file_that_is_not_there_is_named(hub, sre):
    assert_failed(await sre("pull", "owner/none"), 5, "no model 'owner/none'")
    assert_failed(await sre("pull", "owner/tiny", "--revision", "v9"), 5, "owner/tiny@v9")
    hub.branches["main"]["a.Q4.gguf"] = b"GGUF"
    failed = await sre("pull", "owner/tiny:b.gguf")
    assert_failed(failed, 5, "no file 'b.gguf'", "a.Q4.gguf")


async def test_a_repository_without_safetensors_says_what_it_has(hub, sre):
    for name in ("model.safetensors", "model.fp16.safetensors"):
        del hub.branches["main"][name]
    failed = await sre("pull", "owner/tiny")
    assert_failed(failed, 3, "only pickles ('pytorch_model.bin')", "choose a model that has *.safetensors")
    hub.branches["main"]["a.gguf"] = b"GGUF"
    assert_failed(await sre("pull", "owner/tiny"), 3, "name one, as owner/tiny:a.gguf")
    assert hub.asked == []


async def test_no_hub_at_all_is_told_in_words(tmp_path):
    failed = await finished(await start(FakeHub({}, port=9), tmp_path, "pull", "owner/tiny"))
    assert_failed(failed, 5, "could not be fetched", "check the network")


async def test_a_revision_stands_beside_the_main_one(hub, sre, resolved, tmp_path):
    hub.branches["v1"] = hub.branches["main"] | {"README.md": b"v1", "merges.txt": b"of v1"}
    ran = await sre("pull", "owner/tiny", "--revision", "v1")
    assert 'set model = "owner/tiny@v1"' in ran.out
    assert_whole(hub, tmp_path, "v1")
    assert await resolved("owner/tiny@v1") == str(snapshot(hub, tmp_path, "v1"))
    assert "not on this machine" in await resolved()
    # The weights are the same, so they are not fetched again; the small ones are.
    hub.asked.clear()
    commit = hub.commit("main")
    assert (await sre("pull", f"owner/tiny@{commit}")).code == 0
    assert "model.safetensors" not in hub.fetched()
    assert await resolved(f"owner/tiny@{commit}") == str(snapshot(hub, tmp_path))


async def test_a_folder_that_another_program_fetched_in_part_is_not_taken(hub, sre, resolved, tmp_path):
    await sre("pull", "owner/tiny")
    (snapshot(hub, tmp_path) / "model.safetensors").unlink()
    assert "not all on this machine" in await resolved()
    assert await resolved(download=True) == str(snapshot(hub, tmp_path))
    assert hub.fetched().count("model.safetensors") == 1
    assert_whole(hub, tmp_path)


async def test_an_update_that_fails_leaves_the_old_one_in_use(hub, sre, resolved, tmp_path):
    await sre("pull", "owner/tiny")
    old = snapshot(hub, tmp_path)
    weights = {name: values + 1 for name, values in load_file(old / "model.safetensors").items()}
    hub.branches["main"]["model.safetensors"] = save(weights)
    hub.lies["model.safetensors"] = bytes(len(hub.branches["main"]["model.safetensors"]))
    assert (await sre("pull", "owner/tiny")).code == 5
    assert await resolved() == str(old)
    hub.lies.clear()
    assert (await sre("pull", "owner/tiny")).code == 0
    assert await resolved() == str(snapshot(hub, tmp_path)) != str(old)


async def test_a_model_that_the_disk_cannot_hold_is_not_begun(hub, sre):
    hub.sizes["model.safetensors"] = 10**18
    failed = await sre("pull", "owner/tiny")
    assert_failed(failed, 3, "needs 1,000,000,000,000 MB", "HF_HOME")
    assert hub.asked == []


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (30 * 2**20, 30 * 2**20))
from sre_cli.main import main
main()
"""


@pytest.mark.slow
async def test_a_disk_that_fills_up_is_told_in_words_and_the_next_pull_goes_on(large, tmp_path):
    hub = FakeHub({"main": large})
    async with serving(hub):
        # A limit for the length of a file stops the writing as a full disk does.
        failed = await finished(await start(hub, tmp_path, "pull", "owner/tiny", code=FULL))
    assert_failed(failed, 3, "cannot be written to this disk", "is kept")
    await assert_goes_on(hub, tmp_path)


@pytest.mark.slow
async def test_two_pulls_at_once_fetch_the_weights_once(hub, large, tmp_path):
    hub.branches["main"] = large
    processes = [await start(hub, tmp_path, "pull", "owner/tiny") for _ in range(2)]
    for process in processes:
        ran = await finished(process)
        assert ran.code == 0, ran.err
    assert hub.fetched().count("model.safetensors") == 1
    assert_whole(hub, tmp_path)


async def test_a_gguf_file_of_a_repository_is_converted_at_once(hub, sre, resolved, tmp_path):
    from .gguf_files import metadata, saved, tensors, write  # noqa: TID252

    origin = saved(tmp_path / "origin")
    write(tmp_path / "tiny.gguf", metadata(origin), tensors(origin))
    hub.branches["main"]["files/tiny.gguf"] = (tmp_path / "tiny.gguf").read_bytes()
    ran = await sre("pull", "owner/tiny:files/tiny.gguf")
    assert ran.code == 0, ran.err
    assert hub.fetched() == ["files/tiny.gguf"]
    folder = Path(ran.out.splitlines()[-1].removeprefix("Ready: "))
    assert folder.parent == tmp_path / "cache" / "sre" / "smollm"
    assert sorted(load_file(folder / "model.safetensors")) == sorted(load_file(origin / "model.safetensors"))
    assert await resolved("owner/tiny:files/tiny.gguf") == str(folder)
