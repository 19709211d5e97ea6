"""Streams on Omniglot in the small: sizes, what is drawn, the silenced machine, and that all learn."""

import numpy as np
import pytest
import torch

from experiments import curve, training
from experiments.carried import apart
from experiments.omniglot import instances
from experiments.saving import Job
from reference.pytorch import mann
from reference.pytorch.machine.arrays import to_torch
from reference.tasks.bank import make_bank
from reference.tasks.glyphs import glyphs

CPU = torch.device("cpu")
VARIANTS = [name for name in instances.VARIANTS if name != "pixels"]  # which has nothing to learn
FEW = instances.Settings(
    n_steps=curve.N_POINTS, batch=2, pixels=4, n_way=3, n_each=3, n_rows=6, row_width=3, n_reads=2, n_hidden=4
)
FEW = FEW._replace(n_test=5)


@pytest.fixture(autouse=True)
def drawings(monkeypatch):
    """Blocks of ink in the place of the download: a class is a pattern of 4x4 blocks, an image adds noise."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 2, (30, 4, 4)).repeat(7, axis=1).repeat(7, axis=2)
    images = (150 * patterns[:, None] + rng.integers(0, 50, (30, 6, 28, 28))).astype(np.uint8)
    names = [f"class {i}" for i in range(30)]
    bank = make_bank(images.reshape(-1, 28, 28), np.repeat(np.arange(30), 6), names=names, groups=names)
    monkeypatch.setattr(instances, "banks", lambda data: (bank, bank))


def job(variant, settings=FEW):
    return Job("instances", variant, settings, CPU)


def weights_of(variant, settings=FEW, seed=0):
    return apart(instances.begin(job(variant, settings), np.random.default_rng(seed)))[0]


@pytest.mark.parametrize("variant", ["lstm", "transformer"])
def test_what_stands_beside_the_machine_has_no_fewer_weights_and_hardly_more(variant):
    sizes = [sum(p.numel() for p in weights_of(v, instances.Settings()).values()) for v in ("mann", variant)]
    assert sizes[0] == 648_369 and 1 <= sizes[1] / sizes[0] < 1.1


def test_the_sizes_are_those_of_the_paper():
    assert instances.Settings()[6:13] == (5, 10, 20, 128, 40, 4, 200)


def test_a_shrunk_bank_has_the_means_of_blocks():
    bank = instances.banks("")[0]
    small = instances.shrunk(bank, 4)
    expected = bank.images.reshape(-1, 4, 7, 4, 7).astype(float).mean(axis=(2, 4))
    assert abs(small.images - expected).max() <= 0.5 and small.images.dtype == np.uint8
    assert (small.offsets == bank.offsets).all()


@pytest.mark.parametrize(("data", "split"), [("glyphs", "test"), ("glyphs-held-out", "validation")])
def test_streams_of_glyphs_are_judged_by_scripts_that_are_not_trained_on(data, split):
    training, judging = instances.streams(job("mann", FEW._replace(data=data)))
    assert len(training.bank.names) == 4 * len(glyphs("train").names)
    assert list(judging.bank.names) == list(glyphs(split).names)
    assert training.bank.images.shape[1:] == judging.bank.images.shape[1:] == (4, 4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_step_sees_nothing_later_and_no_other_stream(variant):
    series = instances.train(job(variant)).draw(np.random.default_rng(1))
    answer, weights = instances.answers(job(variant)), weights_of(variant)
    said = answer(weights, series.x)
    assert said.shape == (9, 2, 3) and series.x.shape == (9, 2, 16 + 3)
    torch.testing.assert_close(answer(weights, series.x[:4]), said[:4])
    torch.testing.assert_close(answer(weights, series.x[:, [1]])[:, 0], said[:, 1])


def test_the_loss_is_that_of_the_machine():
    series = instances.train(job("mann")).draw(np.random.default_rng(1))
    found = instances.loss(weights_of("mann"), series, answer=instances.answers(job("mann")))
    expected = mann.loss(weights_of("mann"), series, net=instances.recurrent(job("mann")))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("variant", ["mann", "mann-writes-first", "mann-feedforward", "mann-sharp"])
def test_a_silenced_machine_says_the_same_whatever_is_in_its_memory(variant):
    its_job, weights = job(variant), weights_of(variant)
    net, x = instances.recurrent(its_job), torch.rand(2, 19)
    begun = net.begin(weights, x)
    full = begun._replace(memory=torch.randn(begun.memory.shape), reads=torch.randn(begun.reads.shape))
    said = [net.cell(weights, state, x)[1] for state in (begun, full)]
    assert not torch.equal(*said)
    deaf = [net.cell(instances.silenced(its_job, weights), state, x)[1] for state in (begun, full)]
    assert torch.equal(*deaf)
    without = net.cell(weights, begun._replace(reads=0 * begun.reads), x)[1]
    if variant != "mann-writes-first":  # which reads what it has just written
        torch.testing.assert_close(deaf[0], without)  # an empty memory says nothing, either


def test_every_learner_is_judged_by_the_same_streams():
    for variant in VARIANTS:
        flat = {name: 0 * p for name, p in weights_of(variant).items()}
        found = instances.accuracies(
            job(variant), flat
        )  # always answers 0, which is right for one class of three
        np.testing.assert_allclose(found, np.full((5, 3), 1 / 3))


def test_accuracies_of_many_streams_are_those_of_few(monkeypatch):
    whole = instances.accuracies(job("lstm"), weights_of("lstm"))
    monkeypatch.setattr(instances, "AT_ONCE", 5)
    np.testing.assert_array_equal(instances.accuracies(job("lstm"), weights_of("lstm")), whole)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_run_keeps_its_losses_and_is_judged(variant, tmp_path):
    its_job, rng = job(variant), np.random.default_rng(0)
    how, first = instances.train(its_job), instances.begin(its_job, rng)
    run = training.train(training.begin(first, how.rule, rng), how, its_job, checkpoint=tmp_path / "run")
    assert apart(run.params)[1]["step"] == 60
    tests = list(instances.tests(its_job, first, run.params))
    heard = [about for about, measure, _ in tests if about.get("reads") == "heard"]
    assert heard == [{"n_way": 3, "instance": k, "reads": "heard"} for k in (1, 2, 3)]
    assert sum(about.get("reads") == "silenced" for about, _, _ in tests) == 3 * variant.startswith("mann")
    assert sum(measure == "nats lost" for _, measure, _ in tests) == 60
    means = [float(np.mean(evaluate())) for _, measure, evaluate in tests if measure == "accuracy"]
    assert (
        all(0 <= mean <= 1 for mean in means)
        and means[0] == instances.accuracies(its_job, apart(run.params)[0])[:, 0].mean()
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_learner_learns(variant):
    settings = FEW._replace(batch=8, n_hidden=16, row_width=8, outer_lr=3e-3)
    how, params = (
        instances.train(job(variant, settings)),
        instances.begin(job(variant, settings), np.random.default_rng(0)),
    )
    state, one, losses = how.rule.init(params), how.draw(np.random.default_rng(1)), []
    for _ in range(60):
        gradient, loss = how.meta_gradient(params, one)
        params, state = how.rule.update(params, gradient, state)
        losses.append(float(loss))
    assert losses[-1] < losses[0] - 0.05


def test_what_compares_pixels_says_the_label_of_the_nearest_image_before():
    rng = np.random.default_rng(0)
    series = to_torch(instances.streams(job("pixels"))[1].sample_batch(rng, 4))
    said = instances.answers(job("pixels"))({}, series.x)
    assert not said[0].any()
    for b in range(4):
        pixels = series.x[:, b, :-3]
        for t in range(1, 9):
            closest = int(((pixels[:t] - pixels[t]) ** 2).sum(-1).argmin())
            assert int(said[t, b].argmax()) == int(series.y[closest, b]) and said[t, b].sum() == 1


def test_what_compares_pixels_is_judged_without_training(tmp_path):
    its_job = job("pixels", FEW._replace(n_steps=0))
    first = instances.begin(its_job, np.random.default_rng(0))
    run = training.begin(first, instances.train(its_job).rule, np.random.default_rng(0))
    run = training.judge(run, instances.tests(its_job, first, first), its_job, checkpoint=tmp_path / "run")
    assert [row.about["instance"] for row in run.rows] == [1, 2, 3]
    assert run.rows[1].mean > run.rows[0].mean  # nothing before is like a class that is new
