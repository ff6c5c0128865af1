"""Quantum GANs: both sides' derivatives, the game, patches and options."""

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
from generators.diary import Diary
from generators.duel import Rules, latent_rows, play
from generators.recipes.qgan import Qgan
from generators.rectifiers import Network
from generators.stage import Stage
from tests.generators.parity import kept_parity, parity
from tests.generators.tables import mixed, numbers

QUICK = {"qubits": 4, "layers": 2, "critic_layers": 1, "steps": 12, "batch": 16}
SIDES = ("quantum", "classical")


def fitted(table=None, *, seed=0, **options):
    recipe = Qgan(**{**QUICK, **options})
    return recipe.fit(numbers() if table is None else table, np.random.default_rng(seed))


def learned(model):
    return model.source.core.numbers


def stage(*, columns=3, **options):
    return Stage.of(Qgan(**{**QUICK, **options}), columns)


def sides(kind, **options):
    rng = np.random.default_rng(0)
    made = stage(generator=kind, critic=kind, width=5, **options)
    generator, critic = made.generator(noise=False, rng=rng), made.critic()
    return [
        (generator, rng.uniform(-0.9, 0.9, (6, generator.latents))),
        (critic, rng.uniform(-0.9, 0.9, (6, made.width))),
    ]


@pytest.mark.parametrize("patches", [1, 2])
@pytest.mark.parametrize("kind", SIDES)
def test_the_slopes_of_both_sides_are_their_derivatives(kind, patches):
    rng, step = np.random.default_rng(1), {"quantum": 1e-2, "classical": 1e-5}[kind]
    for player, rows in sides(kind, patches=patches, columns=3 if patches == 1 else 7):
        numbers_ = player.start(rng)
        outputs, pull = player.forward(numbers_, rows)
        onto = rng.normal(size=outputs.shape)
        slopes, inward = pull(onto)
        assert set(slopes) == set(numbers_)
        for name, value in numbers_.items():
            way = rng.normal(size=value.shape)
            ends = [
                float((player.forward({**numbers_, name: value + h * way}, rows)[0] * onto).sum())
                for h in (step, -step)
            ]
            assert (slopes[name] * way).sum() == pytest.approx(
                (ends[0] - ends[1]) / (2 * step), rel=5e-3, abs=2e-2
            )
        way = rng.normal(size=rows.shape)
        ends = [
            float((player.forward(numbers_, rows + h * way)[0] * onto).sum()) for h in (step, -step)
        ]
        assert (inward * way).sum() == pytest.approx(
            (ends[0] - ends[1]) / (2 * step), rel=2e-2, abs=5e-2
        )


@pytest.mark.parametrize("kind", SIDES)
def test_a_generator_starts_as_independent_uniform_columns(kind):
    rng = np.random.default_rng(0)
    generator = stage(columns=4, generator=kind).generator(noise=False, rng=rng)
    latent = latent_rows(4_000, generator.latents, rng)
    made, _ = generator.forward(generator.start(rng), latent)
    assert np.abs(np.corrcoef(made.T) - np.eye(4)).max() < 0.15
    assert np.quantile(made, [0.25, 0.5, 0.75], axis=0) == pytest.approx(
        np.array([[-0.5], [0.0], [0.5]]) + np.zeros(4), abs=0.12
    )


@pytest.mark.parametrize("critic", SIDES)
@pytest.mark.parametrize("generator", SIDES)
def test_every_pairing_plays_and_loads_again(generator, critic, tmp_path):
    model = fitted(generator=generator, critic=critic)
    model.save(tmp_path / "model")
    again = Qgan.load(tmp_path / "model")
    rows = [m.sample(40, np.random.default_rng(1)).to_arrow() for m in (model, again)]
    assert rows[0].equals(rows[1])
    assert set(model.log.losses) == {"critic", "generator", "distance"}


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        ("combined", {"critic", "generator", "distance"}),
        ("adversarial", {"critic", "generator"}),
        ("mmd", {"distance"}),
    ],
)
def test_each_loss_has_its_voices(loss, named):
    assert set(fitted(loss=loss).log.losses) == named


@pytest.mark.parametrize("loss", ["mmd", "combined"])
def test_the_game_brings_rows_closer(loss):
    options = {"loss": loss, "steps": 90, "layers": 3, "early_stop": False}
    made = Qgan(**{**QUICK, **options, "whiten": False})
    rng = np.random.default_rng(0)
    latent = rng.uniform(-1, 1, (500, 1))
    rows = np.hstack([latent, -latent, latent])
    diary = Diary(total=made.steps)
    stage_ = Stage.of(made, 3)
    generator, critic = stage_.generator(noise=False, rng=rng), stage_.critic()
    numbers_, notes = play(generator, critic, rows, made.rules, diary, rng)
    assert numbers_ is diary.best
    assert notes == ()
    distances = diary.log().losses["distance"]
    assert np.mean(distances[-10:]) < 0.4 * np.mean(distances[:5])


def test_it_stops_where_the_rows_are_chance():
    independent = pa.table({k: np.random.default_rng(i).random(60) for i, k in enumerate("abcd")})
    log = fitted(independent, steps=400).log
    assert log.stop is Stop.SAMPLING_FLOOR
    assert log.notes[0] == (
        "Training brought nothing that the rows can show: the untrained generator is kept."
    )


def test_a_loss_that_is_no_number_ends_the_game_and_keeps_the_best():
    class Breaks(Network):
        calls = 0

        def forward(self, numbers, rows):
            found, pull = super().forward(numbers, rows)
            Breaks.calls += 1
            return found * (np.nan if Breaks.calls == 6 else 1.0), pull

    diary = Diary(total=20)
    generator = Breaks(inputs=2, outputs=2, width=4, passing=True)
    rng = np.random.default_rng(0)
    rules = Rules(steps=20, early_stop=False)
    kept, _ = play(generator, None, rng.uniform(-1, 1, (50, 2)), rules, diary, rng)
    assert diary.log().stop is Stop.NOT_FINITE
    assert all(np.isfinite(value).all() for value in kept.values())


def test_held_out_rows_judge_the_checkpoints():
    assert fitted(validation=0.3, early_stop=False).log.steps == QUICK["steps"]


def test_no_step_leaves_the_generator_untrained_and_says_so():
    log = fitted(steps=0).log
    assert log.notes == ("The generator is untrained.",)
    assert log.steps == 0


def test_patches_make_as_many_columns_as_their_qubits():
    model = fitted(numbers(columns=7), patches=2)
    assert model.log.facts["learned_columns"] == 7
    assert model.log.facts["patches"] == 2
    assert learned(model)["mix"].shape[:2] == (2, 8)


def test_axes_without_a_qubit_are_drawn_at_random():
    model = fitted(numbers(columns=7))
    assert model.log.facts["learned_columns"] == 4
    drawn = model.source.core.draw(4_000, np.random.default_rng(0))
    assert np.std(drawn[:, 4:], axis=0) == pytest.approx(np.full(3, 3**-0.5), abs=0.03)


def test_columns_that_do_not_fit_are_counted_and_projection_is_offered():
    with pytest.raises(DetectorError) as caught:
        fitted(numbers(columns=7), whiten=False)
    assert str(caught.value) == (
        "The table has 7 dimensions, and 4 of them fit on 4 qubits. Set `whiten` to project them, "
        "leave columns out, or give more `patches`."
    )


def test_it_takes_every_kind_of_column():
    drawn = fitted(mixed(200)).sample(100, np.random.default_rng(0))
    assert drawn.schema == detector.open_data(mixed(200)).schema


@pytest.mark.parametrize("rows", [2, 3])
def test_very_few_rows_are_enough_to_run(rows):
    model = fitted(numbers(rows), validation=0.4)
    assert model.sample(5, np.random.default_rng(0)).to_arrow().num_rows == 5


def test_images_are_made_in_patches():
    rng = np.random.default_rng(0)
    flat = pa.array(rng.integers(0, 17, 64 * 80).astype(np.float32))
    table = pa.table({"image": pa.FixedSizeListArray.from_arrays(flat, 64)})
    model = fitted(table, patches=2, qubits=8, layers=1, steps=2)
    assert model.log.facts["learned_columns"] == 16
    assert model.sample(3, rng).to_arrow()["image"].type.list_size == 64


def test_equal_seeds_give_equal_bytes_in_two_processes():
    code = (
        "import sys, numpy as np\n"
        "from generators.recipes.qgan import Qgan\n"
        "from tests.generators.tables import numbers\n"
        f"model = Qgan(**{QUICK!r}).fit(numbers(), np.random.default_rng(3))\n"
        "rows = model.sample(5_000, np.random.default_rng(4)).to_arrow()\n"
        "sys.stdout.buffer.write(np.column_stack([rows[n] for n in rows.column_names]).tobytes())"
    )
    command = [sys.executable, "-c", code]
    one, other = (subprocess.run(command, capture_output=True, check=True) for _ in range(2))
    assert len(one.stdout) == 5_000 * 4 * 8
    assert one.stdout == other.stdout


def test_samples_declare_circuit_engine_and_noise():
    model = fitted(depolarising=0.002, steps=2)
    text = model.sample(5, np.random.default_rng(0)).metadata[METADATA_KEY]
    declared = parse(text, name="sample").options
    assert declared["engine"] == "fast"
    assert declared["noise"]["depolarising"] == 0.002
    assert '"cirq_type"' in declared["circuit"]
    assert "Ry(t_000_y_000)" in model.source.core.describe()


def test_a_network_declares_no_circuit():
    model = fitted(generator="classical", steps=2)
    assert model.source.core.declared == {}
    assert model.source.core.describe() == "The generator is a network."


def test_noise_shrinks_the_means_and_few_repetitions_blur_them():
    def spread(**options):
        model = fitted(steps=0, rematch_marginals=False, **options)
        return model.source.core.draw(3_000, np.random.default_rng(0))[:, 0].std()

    assert spread(readout=0.2) < 0.7 * spread()
    assert spread(repetitions=8) > 1.03 * spread()


def test_noise_can_act_in_training():
    options = {"readout": 0.1, "repetitions": 32, "early_stop": False}
    quiet, loud = (fitted(noisy_training=noisy, **options) for noisy in (False, True))
    assert quiet.log.losses["distance"] != loud.log.losses["distance"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generator": "hybrid"}, "generator is 'hybrid'; it can be quantum, classical"),
        ({"critic": "none"}, "critic is 'none'; it can be quantum, classical"),
        ({"loss": "wasserstein"}, "loss is 'wasserstein'; it can be combined, adversarial, mmd"),
        ({"qubits": 13}, "qubits is 13; it must lie between 0 and 12"),
        ({"engine": "cirq", "gradient": "adjoint"}, "`cirq` does not have; choose parameter_shift"),
        ({"readout": -0.1}, "the rate of readout is -0.1"),
        ({"batch": 1}, "batch is 1; it must be 2 at least"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is asserted below
        Qgan(**options)
    assert message in str(caught.value)


@pytest.mark.parametrize("engine", ["cirq", "tfq"])
def test_other_engines_make_the_same_rows(engine):
    rng = np.random.default_rng(0)
    latent = latent_rows(5, 2, rng)
    made = [
        Stage.of(Qgan(qubits=2, layers=1, engine=name), 2).generator(noise=False, rng=rng)
        for name in ("fast", engine)
    ]
    start = made[0].start(rng)
    onto = rng.normal(size=(5, 2))
    slopes = [player.forward(start, latent)[1](onto)[0] for player in made]
    rows = [player.forward(start, latent)[0] for player in made]
    assert rows[1] == pytest.approx(rows[0], abs=1e-5)
    assert slopes[1]["mix"] == pytest.approx(slopes[0]["mix"], abs=1e-3)


@pytest.mark.slow
def test_it_learns_what_no_copula_does():
    def share(steps):
        options = {"steps": steps, "layers": 4, "critic_layers": 3, "batch": 64}
        model = fitted(parity(600), **options)
        return kept_parity(model.sample(1_000, np.random.default_rng(1)).to_arrow())

    assert share(500) > share(0) + 0.1
