"""Quantum circuit Born machines: laws of their training, their options and their noise."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.data.provenance import METADATA_KEY, parse
from detector.errors import DetectorError
from detector.recipes import Stop
from generators.bits import indices
from generators.born import Plan, Target, starting_angles, train
from generators.diary import Diary
from generators.losses import StateKernel
from generators.quantum.circuits import hardware_efficient
from generators.quantum.engines import executor
from generators.recipes.qcbm import Qcbm
from tests.generators.parity import kept_parity, parity
from tests.generators.tables import mixed, numbers

QUICK = {"qubits": 8, "layers": 3, "steps": 40}


def fitted(table=None, *, seed=0, **options):
    recipe = Qcbm(**{**QUICK, **options})
    return recipe.fit(numbers() if table is None else table, np.random.default_rng(seed))


def law(model):
    return model.source.core.law


def ghz(qubits):
    shares = np.zeros(2**qubits)
    shares[[0, -1]] = 0.5
    return Target(shares=shares, kernel=StateKernel.of_bits(qubits))


def trained(target, *, qubits, layers=3, seed=0, engine="fast", **plan):
    run = executor(hardware_efficient(qubits, layers=layers), engine=engine)
    made = Plan(**{"steps": 200, "rate": 0.1, **plan})
    diary = Diary(total=made.total)
    angles, _ = train(run, target, made, diary, np.random.default_rng(seed))
    return run.probabilities(angles)[0], diary


def ring(rows, *, seed=0):
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * rng.integers(0, 4, rows) / 4
    place = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.05 * rng.standard_normal((rows, 2))
    return pa.table({"x": place[:, 0], "y": place[:, 1]})


@pytest.mark.parametrize("qubits", [1, 2, 5])
def test_it_starts_at_the_uniform_law(qubits):
    ansatz = hardware_efficient(qubits, layers=3)
    angles = starting_angles(ansatz, spread=0.0, rng=np.random.default_rng(0))
    found = executor(ansatz, engine="cirq").probabilities(angles)[0]
    assert found == pytest.approx(np.full(2**qubits, 2.0**-qubits))


@pytest.mark.parametrize("loss", ["mmd", "nll"])
def test_it_learns_an_entangled_law(loss):
    found, _ = trained(ghz(4), qubits=4, loss=loss)
    assert found[[0, -1]] == pytest.approx([0.5, 0.5], abs=0.03)


@pytest.mark.parametrize("optimiser", ["natural", "spsa"])
def test_other_optimisers_come_down_too(optimiser):
    options = {"spread": 0.5, "steps": 300}  # away from the start, which is flat in every direction
    _, diary = trained(ghz(3), qubits=3, optimiser=optimiser, **options)
    losses = diary.log().losses["loss"]
    assert min(losses) < 0.2 * losses[0]


def test_the_best_of_several_starts_is_kept():
    _, diary = trained(ghz(3), qubits=3, steps=20, restarts=4, spread=1.0)
    log = diary.log()
    kernel, best = ghz(3).kernel, diary.best["angles"]
    found = executor(hardware_efficient(3, layers=3)).probabilities(best)[0]
    apart = found - ghz(3).shares
    assert log.steps == 80
    assert float(apart @ kernel.apply(apart)) == pytest.approx(min(log.losses["loss"]), rel=1e-3)


def test_training_stops_where_the_rows_are_chance():
    model = fitted(steps=2_000)
    assert model.log.stop is Stop.SAMPLING_FLOOR
    assert model.log.steps < 2_000


def test_the_start_is_kept_where_training_brings_nothing():
    rng = np.random.default_rng(0)
    model = fitted(pa.table({name: rng.random(80) for name in "abc"}))
    assert model.log.notes == (
        "Training brought nothing that the rows can show: the untrained circuit is kept.",
    )
    untrained = fitted(pa.table({name: rng.random(80) for name in "abc"}), steps=0)
    assert np.array_equal(law(model), law(untrained))


def test_without_the_early_stop_every_step_is_made():
    model = fitted(early_stop=False)
    assert model.log.stop is Stop.ALL_STEPS
    assert model.log.steps == QUICK["steps"]


def test_held_out_rows_judge_the_checkpoints():
    options = {"early_stop": False, "table": ring(200)}
    assert not np.array_equal(law(fitted(validation=0.3, **options)), law(fitted(**options)))


def test_no_step_leaves_the_circuit_untrained_and_says_so():
    model = fitted(steps=0, spread=0.0)
    assert law(model) == pytest.approx(np.full(2**8, 2.0**-8))
    assert model.log.notes == ("The circuit is untrained.",)
    assert model.log.steps == 0


def test_it_learns_what_no_copula_does():
    def share(steps):
        model = fitted(parity(600), steps=steps)
        return kept_parity(model.sample(1_000, np.random.default_rng(1)).to_arrow())

    assert share(200) > share(0) + 0.1


def test_only_valid_bitstrings_are_drawn():
    table = mixed(300).select(["color", "flag", "age"])
    model = fitted(table, whiten=False, qubits=9)
    drawn = model.source.core.draw(2_000, np.random.default_rng(0))
    code = model.source.code
    assert code.valid(drawn).all()
    assert not code.mask().all()
    assert not law(model)[~code.mask()].any()
    assert set(indices(drawn)) <= set(np.flatnonzero(code.mask()))


def test_it_takes_every_kind_of_column():
    drawn = fitted(mixed(300)).sample(200, np.random.default_rng(0))
    assert drawn.schema == detector.open_data(mixed(300)).schema


def test_columns_that_do_not_fit_are_counted_and_projection_is_offered():
    with pytest.raises(DetectorError) as caught:
        fitted(numbers(columns=9), whiten=False, qubits=6)
    assert str(caught.value) == (
        "The columns need 9 bits at least, and there are 6: the first 6 of 9 dimensions fit. "
        "Set `whiten` to project them onto 6 qubits, leave columns out, or give more `qubits` "
        "(20 at most)."
    )
    assert fitted(numbers(columns=9), qubits=6).source.code.total == 6


@pytest.mark.parametrize("rows", [2, 3])
def test_very_few_rows_are_enough_to_run(rows):
    assert fitted(numbers(rows)).sample(5, np.random.default_rng(0)).to_arrow().num_rows == 5


def test_a_category_of_very_many_levels_is_projected():
    table = pa.table({"city": [f"city {i}" for i in range(3_000)], "x": np.arange(3_000.0) % 97})
    drawn = fitted(table, steps=2).sample(50, np.random.default_rng(0))
    assert drawn.to_arrow().num_rows == 50


def test_a_loaded_model_needs_no_circuit_and_draws_the_same_rows(tmp_path):
    model = fitted(readout=0.02)
    model.save(tmp_path / "model")
    code = (
        "import sys, numpy as np\n"
        "from generators.recipes.qcbm import Qcbm\n"
        f"model = Qcbm.load({str(tmp_path / 'model')!r})\n"
        "rows = model.sample(50, np.random.default_rng(1)).to_arrow()\n"
        "print(rows.to_pylist(), sorted({'cirq', 'numba', 'tensorflow'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    rows = model.sample(50, np.random.default_rng(1)).to_arrow().to_pylist()
    assert found.strip() == f"{rows} []"


def test_equal_seeds_give_equal_bytes_in_two_processes():
    code = (
        "import sys, numpy as np\n"
        "from generators.recipes.qcbm import Qcbm\n"
        "from tests.generators.tables import numbers\n"
        f"model = Qcbm(**{QUICK!r}).fit(numbers(), np.random.default_rng(3))\n"
        "rows = model.sample(5_000, np.random.default_rng(4)).to_arrow()\n"
        "sys.stdout.buffer.write(np.column_stack([rows[n] for n in rows.column_names]).tobytes())"
    )
    command = [sys.executable, "-c", code]
    one, other = (subprocess.run(command, capture_output=True, check=True) for _ in range(2))
    assert len(one.stdout) == 5_000 * 4 * 8
    assert one.stdout == other.stdout


def test_samples_declare_circuit_engine_and_noise():
    import cirq

    model = fitted(depolarising=0.001, qubits=4)
    text = model.sample(5, np.random.default_rng(0)).metadata[METADATA_KEY]
    declared = parse(text, name="sample").options
    assert declared["engine"] == "fast"
    assert declared["noise"]["depolarising"] == 0.001
    assert declared["noise_by"] == "density matrix"
    assert cirq.read_json(json_text=declared["circuit"]) == hardware_efficient(4, layers=3).circuit
    assert len(declared["circuit_digest"]) == 32


def test_the_circuit_is_drawn():
    assert "Ry(t_000_y_000)" in fitted(qubits=4).source.core.describe()


@pytest.mark.parametrize("kind", ["depolarising", "readout"])
def test_noise_moves_the_law_towards_the_uniform_one(kind):
    table = ring(400)
    apart = []
    for rate in (0.0, 0.02, 0.2):
        model = fitted(table, qubits=4, **{kind: rate})
        apart.append(np.abs(law(model) - 1 / 16).sum())
    assert apart[0] > apart[1] > apart[2]


def test_damping_pulls_the_bits_to_zero():
    model = fitted(qubits=4, amplitude_damping=0.3)
    ones = (np.arange(16)[:, None] >> np.arange(4) & 1).sum(axis=1)
    assert law(model) @ ones < 1.5


def test_noise_can_act_in_training():
    quiet, loud = (
        fitted(ring(400), qubits=4, early_stop=False, readout=0.1, noisy_training=noisy)
        for noisy in (False, True)
    )
    assert loud.log.losses["loss"][0] != quiet.log.losses["loss"][0]
    assert not np.array_equal(law(loud), law(quiet))


def test_finite_repetitions_leave_their_grain():
    model = fitted(qubits=6, repetitions=128)
    assert law(model) * 128 == pytest.approx(np.rint(law(model) * 128), abs=1e-4)


def test_finite_repetitions_can_act_in_training():
    model = fitted(qubits=4, repetitions=64, noisy_training=True, early_stop=False)
    assert len(set(model.log.losses["loss"])) > 10


def test_a_loss_that_is_no_number_ends_the_training_and_keeps_the_best():
    class Broken(Target):
        calls = 0

        def loss(self, kind, probabilities):
            Broken.calls += 1
            found = super().loss(kind, probabilities)
            return found._replace(value=np.nan) if Broken.calls == 5 else found

    whole = ghz(3)
    target = Broken(shares=whole.shares, kernel=whole.kernel)
    found, diary = trained(target, qubits=3, steps=20)
    assert np.isfinite(found).all()
    assert diary.log().stop is Stop.NOT_FINITE
    assert "no number" in diary.log().notes[0]


def test_the_budget_ends_the_training():
    assert fitted(steps=20_000, early_stop=False, budget=0.1).log.stop is Stop.BUDGET


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"qubits": 21}, "qubits is 21; it must lie between 1 and 20"),
        ({"loss": "l2"}, "loss is 'l2'; it can be mmd, nll"),
        ({"engine": "cirq", "gradient": "adjoint"}, "`cirq` does not have; choose parameter_shift"),
        ({"engine": "tfq", "optimiser": "natural"}, "'natural', which needs the engine `fast`"),
        ({"depolarising": 1.5}, "the rate of depolarising is 1.5"),
        (
            {"qubits": 8, "phase_damping": 0.1, "noisy_training": True},
            "damping runs 6 qubits at most, and there are 8",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is asserted below
        Qcbm(**options)
    assert message in str(caught.value)


@pytest.mark.parametrize("engine", ["cirq", "tfq"])
def test_other_engines_take_the_same_steps(engine):
    fast, _ = trained(ghz(2), qubits=2, layers=1, steps=5)
    other, _ = trained(ghz(2), qubits=2, layers=1, steps=5, engine=engine)
    assert other == pytest.approx(fast, abs=1e-3)


@pytest.mark.slow
def test_fourteen_qubits_are_fitted_and_sampled_in_seconds():
    import time

    table = numbers(1_000, 6)
    began = time.process_time()
    model = Qcbm(early_stop=False).fit(table, np.random.default_rng(0))
    fit, began = time.process_time() - began, time.process_time()
    model.sample(100_000, np.random.default_rng(0))
    assert model.source.code.total == 14
    assert fit < 30  # 15 asked for; numba may have to compile first
    assert time.process_time() - began < 4  # 2 asked for, on a machine of its own
