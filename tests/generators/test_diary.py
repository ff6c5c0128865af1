from __future__ import annotations

import time

import numpy as np
import pytest

from detector.errors import DetectorError
from detector.recipes import Stop, TrainingLog
from generators.diary import Diary


def run(diary, losses, *, at=None, error=None):
    with diary:
        for step in diary.steps():
            if step == at:
                raise error
            diary.record(loss=losses[step])
            diary.keep({"w": np.array([step])}, score=losses[step])
    return diary


def test_the_best_checkpoint_is_kept():
    diary = run(Diary(total=4), [4.0, 1.0, 2.0, 3.0])
    assert diary.best["w"].tolist() == [1]
    log = diary.log()
    assert (log.stop, log.steps) == (Stop.ALL_STEPS, 4)
    assert log.losses == {"loss": (4.0, 1.0, 2.0, 3.0)}


def test_patience_ends_the_loop():
    diary = run(Diary(total=9, patience=2), [3.0, 1.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert (diary.log().stop, diary.log().steps) == (Stop.VALIDATION, 4)


def test_control_c_keeps_the_best_checkpoint():
    diary = run(Diary(total=9), [3.0, 1.0, 2.0], at=3, error=KeyboardInterrupt())
    assert diary.best["w"].tolist() == [1]
    assert diary.log().stop is Stop.INTERRUPTED
    assert diary.log().notes == ("Interrupted at step 3; the best checkpoint is kept.",)


def test_control_c_before_any_checkpoint_goes_on():
    with pytest.raises(KeyboardInterrupt):
        run(Diary(total=9), [], at=0, error=KeyboardInterrupt())


def test_another_error_goes_on():
    with pytest.raises(ZeroDivisionError):
        run(Diary(total=9), [1.0], at=1, error=ZeroDivisionError())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_keeps_the_best_checkpoint_and_says_so(bad):
    diary = run(Diary(total=9), [3.0, 1.0, bad])
    assert diary.best["w"].tolist() == [1]
    log = diary.log()
    assert log.stop is Stop.NOT_FINITE
    assert "Step 2 gave a loss that is no number" in log.notes[0]
    assert TrainingLog.from_plain(log.to_plain()).losses["loss"][:2] == (3.0, 1.0)


def test_a_first_loss_that_is_no_number_is_an_error():
    with pytest.raises(DetectorError, match="failed at step 0: loss is nan"):
        run(Diary(total=9), [float("nan")])


def test_a_budget_ends_the_loop():
    diary = Diary(total=10**9, budget=0.05)
    with diary:
        for _ in diary.steps():
            diary.keep({}, score=0.0)
    assert diary.log().stop is Stop.BUDGET
    assert 0.05 <= diary.log().cpu_seconds < 5


def test_a_recipe_can_stop_for_its_own_reason():
    diary = Diary(total=9)
    with diary:
        for _ in diary.steps():
            diary.keep({}, score=0.0)
            diary.stop(Stop.SAMPLING_FLOOR)
    assert (diary.log().stop, diary.log().steps) == (Stop.SAMPLING_FLOOR, 1)


def test_a_long_course_is_thinned_and_keeps_its_ends():
    losses = np.linspace(9, 1, 5_000).tolist()
    log = run(Diary(total=5_000), losses).log()
    assert len(log.losses["loss"]) == 400
    assert log.losses["loss"][0] == 9
    assert log.losses["loss"][-1] == 1


def test_progress_is_told():
    told = []
    diary = Diary(total=2, tell=lambda words, done: told.append((words, done)))
    run(diary, [0.5, 0.25])
    assert told == [("loss 0.5", 0.5), ("loss 0.25", 1.0)]


def test_seconds_are_measured():
    diary = Diary(total=1)
    with diary:
        for _ in diary.steps():
            time.sleep(0.05)
            diary.keep({}, score=0.0)
    assert diary.log().seconds >= 0.05


def test_a_log_survives_json():
    log = TrainingLog(
        stop=Stop.VALIDATION, steps=3, losses={"a": (1.0, 2.0)}, facts={"n": 1}, notes=("x",)
    )
    assert TrainingLog.from_plain(log.to_plain()) == log
