"""A saved profile is the profile, or an error that says what is wrong."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from detector.errors import ReportError
from detector.profiles.make import make_profile
from detector.profiles.profile import Profile, merge
from tests.profiles.tables import dataset, mixed_table
from tests.profiles.test_profile import same

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROFILE = make_profile(dataset(mixed_table(700, seed=0)))


def test_saving_and_loading_gives_the_same_profile(tmp_path: Path) -> None:
    PROFILE.save(str(tmp_path / "a.profile"))
    found = Profile.load(str(tmp_path / "a.profile"))
    assert found.frame.digest == PROFILE.frame.digest
    same(found, PROFILE)
    assert found.schema == PROFILE.schema


def test_a_loaded_profile_merges_with_a_fresh_one(tmp_path: Path) -> None:
    PROFILE.save(str(tmp_path / "a.profile"))
    loaded = Profile.load(str(tmp_path / "a.profile"))
    more = make_profile(dataset(mixed_table(50, seed=3)), against=loaded)
    assert merge([loaded, more]).n_rows == 750


def test_equal_data_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_profile(dataset(mixed_table(700, seed=0))).save(str(tmp_path / name))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_profile_without_rows_holds_no_row(tmp_path: Path) -> None:
    PROFILE.without_rows().save(str(tmp_path / "a.profile"))
    with zipfile.ZipFile(tmp_path / "a.profile") as archive:
        assert not {"sample.arrow", "content.npy"} & set(archive.namelist())
    assert Profile.load(str(tmp_path / "a.profile")).sample is None


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.profile"
    PROFILE.save(str(path))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["counts.npy"] = members["counts.npy"][:-1] + b"\x01"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ReportError, match=r"damaged: counts\.npy fails its digest"):
        Profile.load(str(path))


def test_another_version_is_refused_by_number(tmp_path: Path) -> None:
    path = tmp_path / "a.profile"
    with zipfile.ZipFile(path, "w") as archive:
        header = {"format": "collapse-detector profile", "version": 99, "members": {}}
        archive.writestr("profile.json", json.dumps(header))
    with pytest.raises(ReportError, match="version 99; this release reads 2"):
        Profile.load(str(path))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda text: text.replace(b'"n_rows": ', b'"n_rows": 1'),
            r"profile\.json fails its digest",
        ),
        (lambda _: b"[" * 100_000, "is not a profile"),
    ],
)
def test_a_changed_header_is_noticed(
    tmp_path: Path, change: Callable[[bytes], bytes], said: str
) -> None:
    path = tmp_path / "a.profile"
    PROFILE.save(str(path))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, change(data) if name == "profile.json" else data)
    with pytest.raises(ReportError, match=said):
        Profile.load(str(path))


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip at all"])
def test_other_files_are_no_profiles(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.profile"
    path.write_bytes(data)
    with pytest.raises(ReportError, match="damaged or not a profile"):
        Profile.load(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"none\.profile does not exist"):
        Profile.load(str(tmp_path / "none.profile"))


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot write"):
        PROFILE.save(str(tmp_path / "no" / "a.profile"))
    assert not list(tmp_path.iterdir())
