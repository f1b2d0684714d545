from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from conformance.targets.catalogue import CatalogueError, catalogue, find
from conformance.targets.commands import list_targets
from conformance.targets.install import InstallError, cache_folder, install, located, missing
from conformance.targets.profile import CAPABILITIES, Profile


def user_file(folder: Path, text: str) -> Path:
    (folder / "dynoracle.toml").write_text(text)
    return folder


def test_known_targets(tmp_path):
    known = catalogue(tmp_path)
    assert set(known) == {
        *("reference", "reference-like-aws", "reference-throttled", "reference-dax", "aws"),
        *("moto", "ministack", "dynalite", "dynoxide", "dynamodb-local"),
    }
    for entry in known.values():
        assert entry.title
        assert entry.licence
        assert entry.endpoint or "{port}" in "".join((*entry.start, *entry.env.values()))
        if entry.source in ("pip", "npm", "npm-pack"):
            assert entry.version


def test_what_aws_may_do():
    profile = find("aws").profile
    assert profile.durability == "fsync"
    assert profile.throttles
    assert profile.staleness > 0
    assert find("moto").profile == Profile()


def test_users_own_target(tmp_path):
    user_file(
        tmp_path,
        """
        [targets.mine]
        start = ["./serve", "--port", "{port}"]
        [targets.mine.profile]
        lacks = ["vectors", "dax"]
        durability = "process"
        [targets.moto.profile]
        staleness = 0.5
        """,
    )
    mine = find("mine", tmp_path)
    assert mine.start == ("./serve", "--port", "{port}")
    assert mine.profile.capabilities == frozenset(CAPABILITIES) - {"vectors", "dax"}
    assert mine.profile.claims("items")
    assert not mine.profile.claims("dax")
    moto = find("moto", tmp_path)
    assert moto.profile.staleness == 0.5
    assert moto.package == "moto"


MISTAKES = {
    "not TOML": ("[targets", "dynoracle.toml: not TOML"),
    "targets is no table": ("targets = 3", "targets is 3"),
    "entry is no table": ("[targets]\nx = 1", "targets.x is 1"),
    "unknown member": ("[targets.x]\nport = 1", "targets.x.port is unknown; known: "),
    "wrong kind": ("[targets.x]\nstart = 'a b'", "targets.x.start is 'a b'; it must be a list of texts"),
    "table of numbers": ("[targets.x]\nenv = { A = 1 }", "targets.x.env is {'A': 1}; it must be a table of texts"),
    "wrong text": ("[targets.x]\nendpoint = 1", "targets.x.endpoint is 1; it must be a text"),
    "wrong flag": ("[targets.x]\ninsecure = 'no'", "targets.x.insecure is 'no'; it must be a true or false"),
    "nothing to do": ("[targets.x]\ntitle = 'X'", "targets.x has neither start nor endpoint"),
    "unknown source": ("[targets.x]\nsource = 'apt'\nstart = ['x']", "targets.x.source is 'apt'"),
    "profile is no table": ("[targets.x]\nprofile = 1", "targets.x.profile is 1"),
    "unknown claim": ("[targets.x.profile]\nfast = true", "profile.fast is unknown"),
    "wrong claim": ("[targets.x.profile]\ndurability = 'some'", "profile.durability is 'some'; it must be one of none"),
    "unknown capability": ("[targets.x.profile]\nlacks = ['magic']", "'magic' is no capability"),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_named(tmp_path, text, message):
    with pytest.raises(CatalogueError) as caught:
        catalogue(user_file(tmp_path, text))
    assert message in str(caught.value)


def test_unknown_name(tmp_path):
    with pytest.raises(CatalogueError, match="no target is named 'motto': give one of aws, dynalite"):
        find("motto", tmp_path)


def test_address_without_scheme(tmp_path):
    with pytest.raises(CatalogueError, match=r"give the URL of an endpoint as http://127\.0\.0\.1:8000$"):
        find("127.0.0.1:8000", tmp_path)


def test_profile_as_json():
    row = Profile(capabilities=frozenset({"ttl", "items"}), unsupported=frozenset({"B", "A"})).to_json()
    assert row["capabilities"] == ["items", "ttl"]
    assert row["unsupported"] == ["A", "B"]
    assert row["clock"] == "wall"
    assert Profile().to_json()["capabilities"] is None


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNORACLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("DYNAMODB_LOCAL_JAR", raising=False)
    (tmp_path / "bin").mkdir()
    return tmp_path


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_cache_folder(cache, monkeypatch):
    assert cache_folder() == cache / "cache"
    monkeypatch.delenv("DYNORACLE_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "dynoracle"


def test_what_is_missing_is_said(cache):
    assert located(find("dynalite")) is None
    with pytest.raises(InstallError, match=r"dynalite needs Node\.js .* `node` is not on the PATH: install it"):
        install(find("dynalite"))
    assert missing(find("moto")) == []
    rows = {row.entry.name: row for row in list_targets(cache)}
    assert not rows["dynalite"].ready
    assert rows["moto"].ready
    assert rows["moto"].found


def test_program_on_the_path_wins(cache):
    path = program(cache, "dynoxide", "echo dynoxide 7.8.9")
    place = located(find("dynoxide"))
    assert place is not None
    assert (place.names["file"], place.version) == (str(path), "7.8.9")
    assert missing(find("dynoxide")) == []


def test_given_jar_wins(cache, monkeypatch):
    jar = cache / "DynamoDBLocal.jar"
    jar.write_text("")
    monkeypatch.setenv("DYNAMODB_LOCAL_JAR", str(jar))
    with pytest.raises(InstallError, match="dynamodb-local needs Java 17 or newer, and `java` is not on the PATH"):
        install(find("dynamodb-local"))
    program(cache, "java", "echo DynamoDB Local version 3.1.0")
    place = located(find("dynamodb-local"))
    assert place is not None
    assert (place.names["file"], place.names["folder"], place.version) == (str(jar), str(cache), "3.1.0")
    monkeypatch.setenv("DYNAMODB_LOCAL_JAR", "/no/such.jar")
    with pytest.raises(InstallError, match=r"DYNAMODB_LOCAL_JAR is '/no/such\.jar', which is no file"):
        located(find("dynamodb-local"))
    assert any("no/such.jar" in text for row in list_targets(cache) for text in row.problems)


def packed(folder: Path, name: str) -> Path:
    """An npm archive with one program in it."""
    inner = folder / "inner"
    inner.write_text("#!/bin/sh\necho 'dynoxide 1.2.1'\n")
    archive = folder / "x.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(inner, f"package/{name}")
    return archive


def test_install_once(cache):
    archive = packed(cache, "dynoxide")
    program(cache, "npm", f'/bin/cp {archive} . && echo "$@" >> {cache}/asked')
    place = install(find("dynoxide"))
    assert place.version == "1.2.1"
    assert os.access(place.names["file"], os.X_OK)
    assert install(find("dynoxide")) == place
    asked = (cache / "asked").read_text().splitlines()
    assert len(asked) == 1
    assert asked[0].startswith("pack --ignore-scripts")
    assert asked[0].endswith("@1.2.1")


def test_failed_install_leaves_nothing_that_counts(cache):
    program(cache, "npm", "echo E404 not found >&2; exit 1")
    with pytest.raises(InstallError, match=r"(?s)installing dynoxide: npm pack .* ended with 1:.*E404 not found"):
        install(find("dynoxide"))
    assert located(find("dynoxide")) is None
    archive = packed(cache, "other")
    program(cache, "npm", f"/bin/cp {archive} .")
    with pytest.raises(InstallError, match=r"1\.2\.1 has no package/dynoxide"):
        install(find("dynoxide"))
    assert located(find("dynoxide")) is None
    archive = packed(cache, "dynoxide")
    install(find("dynoxide"))
