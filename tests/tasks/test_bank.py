"""Episodes that are what they say: distinct classes, no shared image, labels that position does not tell."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from reference.tasks.bank import Bank, FewShot, as_input, make_bank


def a_bank(sizes, groups=None):
    """A bank whose image i holds the number i in its first bytes, so that a drawn image names its row; its
    last byte is ink."""
    n = sum(sizes)
    images = np.zeros((n, 4, 4), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(n) // 256, np.arange(n) % 256
    images[:, -1, -1] = 255
    labels = np.repeat(np.arange(len(sizes)), sizes)
    names = [f"class {c}" for c in range(len(sizes))]
    return make_bank(images, labels, names=names, groups=groups or ["group"] * len(sizes))


def rows_of(x):
    """The bank's rows that the images of an episode came from."""
    bytes_ = np.rint(255 * x).astype(int)
    return 256 * bytes_[..., 0, 0, 0] + bytes_[..., 0, 0, 1]


def class_of(bank, rows):
    return np.searchsorted(bank.offsets, rows, side="right") - 1


def assert_uniform(counts):
    """Chi-square at its 99.99 % point; drawing without replacement only makes counts more even."""
    expected = counts.mean()
    assert ((counts - expected) ** 2 / expected).sum() < chi2.isf(1e-4, counts.size - 1), counts


@st.composite
def shapes(draw):
    """Sizes of classes, some of them just large enough, and the shape of the tasks."""
    n_way, k_shot, n_query = draw(st.integers(1, 6)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    needed = k_shot + n_query
    sizes = draw(st.lists(st.integers(needed, needed + 5), min_size=n_way, max_size=n_way + 6))
    return sizes, {"n_way": n_way, "k_shot": k_shot, "n_query": n_query}


# One episode


@given(shapes(), st.integers(0, 2**32))
def test_every_episode_of_a_batch_keeps_the_promises(shape, seed):
    tasks = FewShot(a_bank(shape[0]), **shape[1])
    batch = tasks.sample_batch(np.random.default_rng(seed), 3)
    bank, n_way = tasks.bank, tasks.n_way
    for t in range(3):
        (support_x, support_y), (query_x, query_y) = (
            (part.x[t], part.y[t]) for part in (batch.support, batch.query)
        )
        rows = np.concatenate([rows_of(support_x), rows_of(query_x)])
        assert len(set(rows)) == len(rows) == n_way * (tasks.k_shot + tasks.n_query)  # none twice
        assert len(set(batch.task[t])) == n_way  # distinct classes
        for x, y, n_each in ((support_x, support_y, tasks.k_shot), (query_x, query_y, tasks.n_query)):
            assert np.bincount(y, minlength=n_way).tolist() == [n_each] * n_way
            assert (bank.names[class_of(bank, rows_of(x))] == batch.task[t][y]).all()  # label means class


@given(shapes(), st.integers(0, 2**32))
def test_the_same_generator_gives_the_same_episode(shape, seed):
    tasks = FewShot(a_bank(shape[0]), **shape[1])
    one, again = (tasks.sample(np.random.default_rng(seed)) for _ in range(2))
    batch = tasks.sample_batch(np.random.default_rng(seed), 1)
    for a, b, c in zip(one[:2], again[:2], batch[:2], strict=True):
        assert (a.x == b.x).all() and (a.y == b.y).all()
        assert (a.x == c.x[0]).all() and (a.y == c.y[0]).all()
    assert (one.task == again.task).all() and (one.task == batch.task[0]).all()


def test_a_seed_gives_one_episode_on_every_processor():
    """Sorting and partitioning go other ways with other instructions; what is drawn must not follow them."""
    tasks = FewShot(a_bank([30] * 300), n_way=20, k_shot=5, n_query=15)
    episode = tasks.sample(np.random.default_rng(0))
    assert [int(name.split()[1]) for name in episode.task[:8]] == [159, 269, 20, 13, 11, 2, 196, 150]
    assert rows_of(episode.support.x)[:8].tolist() == [86, 7455, 8080, 4782, 2761, 3580, 3266, 4787]
    assert episode.query.y[:8].tolist() == [0, 0, 3, 4, 9, 11, 18, 2]


def test_types_and_shapes():
    batch = FewShot(a_bank([9] * 8), n_way=5, k_shot=2, n_query=3).sample_batch(np.random.default_rng(0), 7)
    assert batch.support.x.shape == (7, 10, 1, 4, 4) and batch.query.x.shape == (7, 15, 1, 4, 4)
    assert batch.support.y.shape == (7, 10) and batch.query.y.shape == (7, 15) and batch.task.shape == (7, 5)
    assert batch.support.x.dtype == np.float32 and batch.support.y.dtype == np.int64


def test_images_are_the_bytes_over_255():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    expected = np.array([np.float32(i) / np.float32(255) for i in range(256)], np.float32)
    assert as_input(images).shape == (1, 1, 16, 16)
    assert (as_input(images).ravel() == expected).all()
    assert as_input(images).min() == 0 and as_input(images).max() == 1


# Frequencies


def test_classes_images_and_labels_are_drawn_uniformly():
    tasks, rng = FewShot(a_bank([9] * 20), n_way=6, k_shot=2, n_query=4), np.random.default_rng(0)
    batch = tasks.sample_batch(rng, 20_000)
    for (x, y), n_each in ((batch.support, 2), (batch.query, 4)):
        rows = rows_of(x)
        for of_class in np.bincount(rows.ravel(), minlength=180).reshape(20, 9):
            assert_uniform(of_class)
        meets = np.zeros((20, 6))
        np.add.at(meets, (class_of(tasks.bank, rows), y), 1 / n_each)
        assert_uniform(meets)  # a class gets every label equally often


def test_classes_of_unequal_sizes_are_drawn_equally_often_and_their_images_too():
    tasks, rng = FewShot(a_bank([3, 30, 9]), n_way=2, k_shot=1, n_query=1), np.random.default_rng(1)
    rows = rows_of(tasks.sample_batch(rng, 30_000).support.x).ravel()
    assert_uniform(np.bincount(class_of(tasks.bank, rows), minlength=3))
    assert_uniform(np.bincount(rows, minlength=42)[3:33])


def test_the_position_of_an_example_tells_nothing_about_its_label():
    tasks, rng = FewShot(a_bank([6] * 11), n_way=3, k_shot=2, n_query=2), np.random.default_rng(2)
    batch = tasks.sample_batch(rng, 20_000)
    for y in (batch.support.y, batch.query.y):
        assert_uniform(np.stack([np.bincount(y[:, position], minlength=3) for position in range(6)]))
        assert (np.diff(y, axis=1) >= 0).all(axis=1).mean() < 0.03  # sorted by chance: 1 in 90
    same_order = (batch.support.y == batch.query.y).all(axis=1).mean()
    assert same_order < 0.03  # the support's order is not the query's: again 1 in 90


# The constructor


@pytest.mark.parametrize("name", ["n_way", "k_shot", "n_query"])
@pytest.mark.parametrize("given", [0, -3])
def test_numbers_must_be_positive(name, given):
    shape = {"n_way": 2, "k_shot": 1, "n_query": 1} | {name: given}
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got {given}"):
        FewShot(a_bank([5, 5]), **shape)


def test_more_ways_than_classes():
    with pytest.raises(ValueError, match="n_way=3 is more than the 2 classes of the bank"):
        FewShot(a_bank([5, 5]), n_way=3, k_shot=1, n_query=1)


def test_a_class_with_too_few_images_is_named():
    with pytest.raises(ValueError, match="class 'class 1' has 4 images, but k_shot=2 and n_query=3 need 5"):
        FewShot(a_bank([9, 4, 5]), n_way=2, k_shot=2, n_query=3)


# Banks


def by_class(bank: Bank):
    return {
        str(name): bank.images[a:b] for name, (a, b) in zip(bank.names, pairwise(bank.offsets), strict=True)
    }


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_make_bank_sorts_images_by_class_and_keeps_their_order(seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(
        np.concatenate([np.arange(4), rng.integers(0, 4, 11)])
    )  # each class at least once
    images = rng.integers(0, 256, (15, 2, 2), dtype=np.uint8)
    bank = make_bank(images, labels, names=list("abcd"), groups=list("ggGG"))
    for c, name in enumerate("abcd"):
        assert (by_class(bank)[name] == images[labels == c]).all()
    assert bank.sizes.tolist() == [(labels == c).sum() for c in range(4)]


def test_select_takes_classes_in_the_order_given():
    bank = a_bank([2, 3, 4], groups=["x", "y", "z"])
    part = bank.select([2, 0])
    assert part.names.tolist() == ["class 2", "class 0"] and part.groups.tolist() == ["z", "x"]
    assert part.sizes.tolist() == [4, 2] and part.offsets.tolist() == [0, 4, 6]
    assert all((images == by_class(bank)[name]).all() for name, images in by_class(part).items())
    assert len(bank.select([]).images) == 0


def test_split_keeps_groups_whole_and_loses_nothing():
    bank = a_bank([2, 3, 4, 5], groups=["x", "y", "x", "z"])
    inside, outside = bank.split(["x", "z"])
    assert inside.names.tolist() == ["class 0", "class 2", "class 3"] and outside.names.tolist() == [
        "class 1"
    ]
    assert len(inside.images) + len(outside.images) == len(bank.images)
    with pytest.raises(ValueError, match=r"no class belongs to \['w'\]; there are \['x', 'y', 'z'\]"):
        bank.split(["x", "w"])


def test_rotations_are_new_classes_turned_counterclockwise():
    bank = make_bank(
        np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], np.uint8),
        np.arange(2),
        names=["a", "b"],
        groups=["g", "h"],
    )
    turned = bank.with_rotations()
    assert turned.names.tolist() == ["a", "b"] + [f"{c} turned {t}" for t in (90, 180, 270) for c in "ab"]
    assert turned.groups.tolist() == ["g", "h"] * 4 and turned.sizes.tolist() == [1] * 8
    images = by_class(turned)
    assert images["a"][0].tolist() == [[1, 2], [3, 4]]
    assert images["a turned 90"][0].tolist() == [[2, 4], [1, 3]]
    assert images["b turned 180"][0].tolist() == [[8, 7], [6, 5]]
    assert images["a turned 270"][0].tolist() == [[3, 1], [4, 2]]


@given(st.lists(st.integers(2, 5), min_size=1, max_size=8), st.data())
@settings(max_examples=40)
def test_banks_survive_being_selected_twice(sizes, data):
    bank = a_bank(sizes)
    first = data.draw(st.lists(st.integers(0, len(sizes) - 1), unique=True))
    second = data.draw(st.lists(st.integers(0, len(first) - 1), unique=True) if first else st.just([]))
    once, twice = bank.select([first[i] for i in second]), bank.select(first).select(second)
    for a, b in zip(once, twice, strict=True):
        assert a.dtype == b.dtype and np.array_equal(a, b)


@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32))
def test_turning_the_images_of_a_bank_makes_classes_apart(n_way, k_shot, n_query, seed):
    tasks = FewShot(a_bank([6] * 3).with_rotations(), n_way=n_way, k_shot=k_shot, n_query=n_query)
    episode = tasks.sample(np.random.default_rng(seed))
    assert len(set(episode.task)) == n_way
    images = np.concatenate([episode.support.x, episode.query.x])
    assert len(np.unique(images, axis=0)) == len(images)


# At the door: as users meet it, without the shapes that pytest enforces


@pytest.fixture(scope="module")
def plain(as_users_meet):
    return as_users_meet("reference.tasks.bank")


IMAGES, LABELS = np.arange(4 * 6 * 6, dtype=np.uint8).reshape(4, 6, 6), np.array([0, 1, 0, 1])
GIVEN = {"images": IMAGES, "labels": LABELS, "names": ["a", "b"], "groups": ["g", "g"]}

WRONG_BANKS = {
    "fractions": ({"images": IMAGES / 255}, r"images is float64 of shape \(4, 6, 6\); whole numbers from 0"),
    "floats": ({"images": IMAGES.astype(np.float32)}, "images is float32 .* or bool"),
    "0 and 1": ({"images": (IMAGES > 99).astype(int)}, "images holds 0 and 1 alone, of 255"),
    "0 and 1 as bytes": ({"images": (IMAGES > 99).astype(np.uint8)}, "images holds 0 and 1 alone, of 255"),
    "negative": ({"images": IMAGES.astype(int) - 1}, "images goes from -1 to 142; 0 .* to 255 .* is allowed"),
    "too large": ({"images": 2 * IMAGES.astype(int)}, "images goes from 0 to 286"),
    "a channel": (
        {"images": IMAGES[:, None]},
        r"images is uint8 of shape \(4, 1, 6, 6\); \(n_images, height",
    ),
    "RGB": ({"images": np.stack([IMAGES] * 3, axis=-1)}, r"\(4, 6, 6, 3\); .* without an axis for channels"),
    "flat": ({"images": IMAGES.reshape(4, 36)}, r"images is uint8 of shape \(4, 36\)"),
    "no images": ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"\(0, 6, 6\); .* at least one image"),
    "no pixels": ({"images": IMAGES[:, :0]}, "at least one pixel"),
    "unequal images": ({"images": [np.zeros((2, 2)), np.zeros((3, 3))]}, "images is no array"),
    "objects": ({"images": IMAGES.astype(object)}, "images is object"),
    "complex": ({"images": IMAGES.astype(complex)}, "images is complex128"),
    "fewer labels": ({"labels": LABELS[:3]}, "labels has 3 entries, but images has 4; each needs one"),
    "more labels": ({"labels": np.tile(LABELS, 2)}, "labels has 8 entries, but images has 4"),
    "more classes": ({"labels": [0, 1, 2, 1]}, "labels goes up to 2, but names has 2 entries, one a class"),
    "an empty class": ({"labels": [0, 0, 0, 0]}, "labels never holds 1: class 'b' has no image"),
    "negative labels": ({"labels": [0, 1, -1, 1]}, "labels must be at least 0, got -1"),
    "float labels": (
        {"labels": [0.0, 1.0, 0.0, 1.0]},
        "labels must be whole numbers in one row, got float64",
    ),
    "bool labels": ({"labels": LABELS == 1}, "labels must be whole numbers in one row, got bool"),
    "labels in a column": ({"labels": LABELS[:, None]}, r"in one row, got int64 of shape \(4, 1\)"),
    "one label": ({"labels": 0}, "labels must be whole numbers in one row, got 0"),
    "names as labels": ({"labels": ["a", "b", "a", "b"]}, "labels must be whole numbers in one row, got <U1"),
    "fewer groups": ({"groups": ["g"]}, "groups has 1 entries, but names has 2; each class has both"),
    "more names": ({"names": ["a", "b", "c"]}, "groups has 2 entries, but names has 3"),
    "numbers for names": ({"names": [0, 1]}, r"names must be a list of strings, but names\[0\] is 0"),
    "one string": ({"groups": "g"}, r"groups must be a list of strings, got the string 'g'; write \['g'\]"),
    "no names": ({"names": None}, "names must be a list of strings, got None"),
}


def sentence(caught):
    text = str(caught.value)
    assert "\n" not in text and text.endswith(".") and len(text) < 300
    return text


@pytest.mark.parametrize("change, says", WRONG_BANKS.values(), ids=WRONG_BANKS)
def test_make_bank_says_what_is_wrong(plain, change, says):
    with pytest.raises(ValueError, match=says) as caught:
        plain.make_bank(**(GIVEN | change))
    assert sentence(caught)


@pytest.mark.parametrize("kind", [np.int64, np.uint16, np.int16, ">i4"])
def test_whole_numbers_of_any_kind_become_bytes(kind):
    bank = make_bank(**(GIVEN | {"images": IMAGES.astype(kind)}))
    assert bank.images.dtype == np.uint8 and (bank.images == make_bank(**GIVEN).images).all()


def test_bool_is_ink_or_paper():
    images = make_bank(**(GIVEN | {"images": IMAGES > 99})).images
    assert images.dtype == np.uint8 and (images == np.where(make_bank(**GIVEN).images > 99, 255, 0)).all()


def test_lists_serve_as_arrays():
    assert all(
        np.array_equal(a, b)
        for a, b in zip(
            make_bank(IMAGES.tolist(), LABELS.tolist(), names=("a", "b"), groups=np.array(["g", "g"])),
            make_bank(**GIVEN),
            strict=True,
        )
    )


WRONG_CALLS = {
    "n_way in fractions": (
        lambda m, b: m.FewShot(b, n_way=1.5, k_shot=1, n_query=1),
        "n_way must be a whole",
    ),
    "n_way that is bool": (lambda m, b: m.FewShot(b, n_way=True, k_shot=1, n_query=1), "number, got True"),
    "k_shot in words": (
        lambda m, b: m.FewShot(b, n_way=1, k_shot="1", n_query=1),
        "k_shot must be .* got '1'",
    ),
    "n_query for each": (
        lambda m, b: m.FewShot(b, n_way=2, k_shot=1, n_query=[1, 1]),
        "n_query must be a whole",
    ),
    "the images": (
        lambda m, b: m.FewShot(b.images, n_way=2, k_shot=1, n_query=1),
        "bank must be a Bank, .* uint8",
    ),
    "a seed": (
        lambda m, b: m.FewShot(b, n_way=2, k_shot=1, n_query=1).sample(0),
        "rng must be a NumPy generator",
    ),
    "no tasks": (
        lambda m, b: m.FewShot(b, n_way=2, k_shot=1, n_query=1).sample_batch(np.random.default_rng(0), 0),
        "n_tasks must be at least 1, got 0",
    ),
    "a class beyond": (lambda m, b: b.select([0, 2]), "classes must be below 2, the number there is, got 2"),
    "a class before": (lambda m, b: b.select([-1]), "classes must be at least 0, got -1"),
    "a class twice": (lambda m, b: b.select([0, 1, 0]), "classes holds 0 more than once"),
    "a mask": (
        lambda m, b: b.select(np.array([True, False])),
        "classes must be whole numbers in one row, got bool",
    ),
    "names": (lambda m, b: b.select(["a"]), "classes must be whole numbers in one row, got <U1"),
    "one class": (lambda m, b: b.select(1), "classes must be whole numbers in one row, got 1"),
    "one group": (lambda m, b: b.split("g"), r"groups must be a list of strings, got the string 'g'"),
    "numbers of groups": (lambda m, b: b.split([0]), r"groups\[0\] is 0"),
    "fractions as bytes": (lambda m, b: m.as_input(b.images / 255), "images is float64 .* bytes of shape"),
    "a row as an image": (lambda m, b: m.as_input(b.images[0, 0]), r"images is uint8 of shape \(6,\)"),
    "oblong": (lambda m, b: b._replace(images=b.images[:, :4]).with_rotations(), "only square ones"),
}


@pytest.mark.parametrize("call, says", WRONG_CALLS.values(), ids=WRONG_CALLS)
def test_banks_and_tasks_say_what_is_wrong(plain, call, says):
    with pytest.raises(ValueError, match=says) as caught:
        call(plain, plain.make_bank(**GIVEN))
    assert sentence(caught)


def test_numbers_of_numpy_serve_and_a_set_of_groups_is_a_list_of_them(plain):
    bank = plain.make_bank(**(GIVEN | {"groups": ["g", "h"]}))
    tasks = plain.FewShot(bank, n_way=np.int64(2), k_shot=np.uint8(1), n_query=np.int32(1))
    assert tasks.sample(np.random.default_rng(0)).query.x.shape == (2, 1, 6, 6)
    assert bank.split({"h"})[0].names.tolist() == ["b"]
