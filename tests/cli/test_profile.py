from __future__ import annotations

import pytest

from detector.profiles.profile import Profile


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("code,size\n1,0.5\n2,1.5\n3,2.5\n")
    return path


def test_a_profile_is_made_named_and_summed_up(call, table, tmp_path):
    made = tmp_path / "real.profile"
    code, out, err = call("profile", table, "-o", made, "--name", "real")
    assert (code, err) == (0, "")
    assert out == (f"real: 3 rows, 2 compared columns, 3 rows in the sample. Profile: {made}\n")
    assert Profile.load(str(made)).n_rows == 3


@pytest.mark.parametrize("name", ["real.txt", "-", "real"])
def test_a_name_that_no_command_would_read_as_a_profile_is_refused(call, table, tmp_path, name):
    code, out, err = call("profile", table, "-o", name)
    assert (code, out) == (2, "")
    assert f"--output {name}: its name has to end in `.profile`" in err
    assert not (tmp_path / name).exists()


def test_a_link_to_itself_is_a_missing_file_and_no_crash(call, tmp_path):
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    code, out, err = call("profile", "loop.csv", "-o", "x.profile")
    assert (code, out) == (2, "")
    assert "There is no file `loop.csv`" in err


def test_explain_says_the_whole_reason(call, table, tmp_path):
    _, out, _ = call("profile", table, "-o", tmp_path / "x.profile", "--explain")
    assert "if they are codes, call it a category" in out


def test_kinds_that_a_saved_profile_does_not_have_are_refused(call, table, tmp_path):
    made = tmp_path / "real.profile"
    call("profile", table, "-o", made)
    code, out, err = call("gate", made, table, "--kind", "code=category")
    assert (code, out) == (2, "")
    assert "Make its profile again with `--kind code=category`." in err
