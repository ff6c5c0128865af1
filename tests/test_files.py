from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from detector.errors import DetectorError
from detector.files import write_atomically


def test_the_text_is_written_as_utf8(tmp_path):
    write_atomically(tmp_path / "a.html", "größe\n")
    assert (tmp_path / "a.html").read_bytes() == "größe\n".encode()


def test_an_old_file_is_replaced_and_nothing_else_is_left(tmp_path):
    (tmp_path / "a").write_text("old")
    write_atomically(tmp_path / "a", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "new"


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "a", "new" * 100_000 + "\ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_an_interrupted_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_missing_folder_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(DetectorError, match=r"Cannot write .*Create the folder `.*nowhere` first"):
        write_atomically(tmp_path / "nowhere" / "a", "text")


def test_a_folder_in_the_way_is_an_error(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(DetectorError, match="Cannot write"):
        write_atomically(tmp_path / "a", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path):
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", "text")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_an_old_file_keeps_its_permissions(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o600)
    write_atomically(tmp_path / "a", "new")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_device_is_written_to_and_not_replaced():
    write_atomically("/dev/null", "text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_full_disk_is_an_error():
    with pytest.raises(DetectorError, match="No space left"):
        write_atomically("/dev/full", "text")


def test_a_long_name_still_has_room_for_the_temporary_one(tmp_path):
    write_atomically(tmp_path / ("x" * 250), "text")
    assert len(list(tmp_path.iterdir())) == 1
