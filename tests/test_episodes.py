"""The nouns hold what they say and learn nothing by themselves; what they must not hold is named."""

import typing

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import (
    Adapt,
    Episode,
    Examples,
    Normal,
    Series,
    SideBySide,
    check_batch,
    check_classes,
    check_images,
    check_labels,
    check_one_task,
    check_pairs,
    check_partners,
    check_queries,
    check_several,
    check_support,
    in_order,
    n_way,
    one_by_one,
)


def test_adapt_is_given_the_support_set_alone():
    arguments, _ = typing.get_args(Adapt)
    assert arguments == [Examples]


def test_the_task_is_optional_and_never_needed():
    assert Episode(Examples(1, 2), Examples(3, 4)).task is None
    assert Episode(Examples(1, 2), Examples(3, 4))[2:] == (None,)


def test_a_batch_is_its_episodes_one_by_one():
    part = lambda first: Examples(np.arange(first, first + 6).reshape(2, 3), np.arange(2))  # noqa: E731
    one, other = one_by_one(Episode(part(0), part(10), task=["first", "second"]))
    assert one.support.x.tolist() == [0, 1, 2] and other.support.x.tolist() == [3, 4, 5]
    assert one.query.x.tolist() == [10, 11, 12] and (other.query.y, other.task) == (1, None)


def test_a_normal_prediction_has_a_mean_and_a_deviation():
    mean, deviation = Normal(mean=np.zeros((2, 1)), deviation=np.ones((2, 1)))
    assert mean.shape == deviation.shape


# An episode as a sequence.


def batch_of_episodes(seed, n_tasks=3, n_way=4, k_shot=2, n_query=3, shape=(2, 2)):
    rng = np.random.default_rng(seed)
    parts = []
    for n in (k_shot, n_query):
        y = rng.permuted(np.tile(np.arange(n_way), (n_tasks, n)), axis=1)
        parts.append(Examples(rng.normal(size=(*y.shape, *shape)), y))
    return Episode(*parts)


def test_in_order_by_hand():
    x = np.array([[[5.0], [6.0]]])
    series = in_order(Episode(Examples(x, np.array([[1, 0]])), Examples(x + 2, np.array([[0, 1]]))), n_way=2)
    # the example, then the label of the one before as zeros and a one
    assert series.x[:, 0].tolist() == [[5, 0, 0], [6, 0, 1], [7, 1, 0], [8, 1, 0]]
    assert series.y[:, 0].tolist() == [1, 0, 0, 1]
    assert series.judged[:, 0].tolist() == [False, False, True, True]


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_every_label_comes_one_step_late_and_every_query_is_judged(seed, n_tasks, n_way):
    episode = batch_of_episodes(seed, n_tasks, n_way)
    series = in_order(episode, n_way=n_way)
    assert isinstance(series, Series) and {len(part) for part in series} == {5 * n_way}
    features, late = series.x[..., :4], series.x[..., 4:]
    assert (
        not late[0].any() and (late[1:].argmax(-1) == series.y[:-1]).all() and (late[1:].sum(-1) == 1).all()
    )
    k = 2 * n_way
    np.testing.assert_array_equal(features[:k].swapaxes(0, 1), episode.support.x.reshape(n_tasks, k, 4))
    np.testing.assert_array_equal(features[k:].swapaxes(0, 1), episode.query.x.reshape(n_tasks, -1, 4))
    assert not series.judged[:k].any() and series.judged[k:].all() and series.judged.shape == series.y.shape


def test_in_order_keeps_float32_and_changes_nothing():
    episode = batch_of_episodes(0)
    episode = Episode(*(Examples(part.x.astype(np.float32), part.y) for part in episode[:2]))
    before = episode.support.y.copy()
    assert in_order(episode, n_way=4).x.dtype == np.float32
    np.testing.assert_array_equal(episode.support.y, before)


def test_in_order_wants_a_batch_and_classes():
    batch = batch_of_episodes(1)
    with pytest.raises(
        ValueError, match=r"^episode: support.y has shape \(8,\); a batch is needed, \(n_tasks"
    ):
        in_order(one_by_one(batch)[0], n_way=4)
    with pytest.raises(ValueError, match=r"^support.y: got \[3\]; the classes are 0\.\.2\.$"):
        in_order(batch, n_way=3)


# What is asked of labels, in the same words on both sides.


@pytest.fixture(params=[np.array, torch.tensor], ids=["NumPy", "PyTorch"])
def array(request):
    return request.param


@given(st.lists(st.integers(0, 6), min_size=1, max_size=9))
def test_n_way_is_one_more_than_the_largest_label(labels):
    assert n_way(np.array(labels)) == n_way(torch.tensor(labels)) == max(labels) + 1


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=6), st.integers(1, 4))
def test_check_classes_accepts_each_class_and_no_other(labels, n):
    def accepts(check, y):
        try:
            return check(y, n) is None
        except ValueError:
            return False

    for y in (np.array(labels), torch.tensor(labels)):
        assert accepts(check_classes, y) == (set(labels) == set(range(n)))
        assert accepts(check_labels, y) == (set(labels) <= set(range(n)))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_any_whole_numbers_will_do(array, dtype):
    labels = array([0, 2, 1], dtype=getattr(np if array is np.array else torch, dtype))
    assert n_way(labels) == 3
    check_classes(labels, 3)


def test_a_missing_and_a_foreign_class_are_named(array):
    with pytest.raises(
        ValueError, match=r"^support.y: got classes \[0, 3\]; each of 0\.\.2, and no other, need"
    ):
        check_classes(array([0, 3, 0]), 3)
    with pytest.raises(ValueError, match=r"^labels: got classes \[-1, 0\]; each of 0\.\.1"):
        check_classes(array([-1, 0]), 2, "labels")
    with pytest.raises(ValueError, match=r"^query.y: got \[-100, 3\]; the classes are 0\.\.2\.$"):
        check_labels(array([0, 3, -100]), 3)
    with pytest.raises(ValueError, match=r"^support.y: got \[-2\]; the classes are 0\.\.1\.$"):
        n_way(array([1, -2, 0]))


NO_CLASSES = {
    "float": (([0.0, 1.0], "float64"), r"float64 of shape \(2,\)"),
    "bool": (([True, False], "bool"), r"bool of shape \(2,\)"),
    "a column": (([[0], [1]], "int64"), r"int64 of shape \(2, 1\)"),
    "none": (([], "int64"), r"int64 of shape \(0,\)"),
}


@pytest.mark.parametrize(("given", "words"), NO_CLASSES.values(), ids=NO_CLASSES)
def test_labels_that_are_no_classes_are_named(array, given, words):
    values, dtype = given
    labels = array(values, dtype=getattr(np if array is np.array else torch, dtype))
    words = rf"^support.y: got {words}; classes are whole numbers from 0 on, one for each example \(n,\)\.$"
    with pytest.raises(ValueError, match=words):
        n_way(labels)
    with pytest.raises(ValueError, match=words):
        check_classes(labels, 2)
    with pytest.raises(ValueError, match=words):
        check_labels(labels, 2, "support.y")


# What is asked of an episode.


def test_one_task_is_let_through(array):
    labels, targets = array([0, 1]), array([[0.0], [1.0]])
    for y in (labels, targets, array([0.5, 1.0])):
        check_one_task(Episode(Examples(array([[1.0], [2.0]]), y), Examples(array([[3.0], [2.0]]), y)))


def test_a_batch_given_as_one_task_is_named_and_side_by_side_is_not(array):
    x = array(np.zeros((25, 2, 1)).tolist())
    for y in (array([[0, 1]] * 25), array([[[0.0], [1.0]]] * 25)):
        words = r"^support.y: got shape \(25, 2.*\), which is 25 tasks; one is needed, and mean_over_batch"
        with pytest.raises(ValueError, match=words):
            check_one_task(Episode(Examples(x, y), Examples(x, y)))
        with pytest.raises(ValueError, match=words):
            check_support(Examples(x, y))
        check_one_task(SideBySide(Examples(x, y), Examples(x, y)))


def test_inputs_and_targets_of_unequal_number_are_named(array):
    x, y = array([[1.0], [2.0], [3.0]]), array([0, 1])
    with pytest.raises(ValueError, match=r"^support: got 3 inputs and 2 targets; each input needs one\.$"):
        check_support(Examples(x, y))


@pytest.mark.parametrize("kind", [Episode, SideBySide])
def test_a_query_of_no_class_of_the_support_is_named(array, kind):
    x = array([[1.0], [2.0]])
    if kind is SideBySide:
        label = lambda a, b: array([[a, b], [1, 0]])  # noqa: E731
        x = array([[[1.0], [2.0]]] * 2)
    else:
        label = lambda a, b: array([a, b])  # noqa: E731
    check_one_task(kind(Examples(x, label(0, 1)), Examples(x, label(1, 1))))
    with pytest.raises(ValueError, match=r"^query.y: got \[-100\]; the classes are 0\.\.1\.$"):
        check_one_task(kind(Examples(x, label(0, 1)), Examples(x, label(-100, 1))))
    with pytest.raises(ValueError, match=r"^query.y: got float\d\d of shape"):
        check_one_task(kind(Examples(x, label(0, 1)), Examples(x, x[..., 0])))


def test_one_input_without_its_axis_is_named(array):
    support = Examples(array(np.zeros((5, 1, 28, 28)).tolist()), array([0] * 5))
    check_queries(support.x[:2], support)
    words = (
        r"^query_x: got shape \(1, 28, 28\); the support asks for \(q, 1, 28, 28\), with an axis of queries"
    )
    with pytest.raises(ValueError, match=words):
        check_queries(support.x[0], support)


@pytest.mark.parametrize("shape", [(1, 28, 28), (28, 28), (5, 3, 28, 28), (2, 5, 1, 28, 28)])
def test_what_is_no_batch_of_grey_images_is_named(array, shape):
    check_images(array(np.zeros((5, 1, 28, 28)).tolist()))
    with pytest.raises(ValueError, match=r"^x: got shape \(.*\); grey images are \(n, 1, height, width\)"):
        check_images(array(np.zeros(shape).tolist()))


@pytest.mark.parametrize("shape", [(15, 28), (28, 15), (1, 1)])
def test_images_too_small_for_the_net_are_named(array, shape):
    check_images(array(np.zeros((5, 1, 16, 17)).tolist()), least=16)
    words = rf"^x: got images of {shape[0]} x {shape[1]}; the least is 16 x 16\.$"
    with pytest.raises(ValueError, match=words):
        check_images(array(np.zeros((5, 1, *shape)).tolist()), least=16)


def test_pairs_hold_two_inputs_each_and_both_answers(array):
    x = array(np.zeros((4, 2, 3)).tolist())
    check_pairs(Examples(x, array([0, 1, 1, 0])))
    for pairs, words in (
        (Examples(x, array([1, 1, 1, 1])), r"pairs.y: got \[1\]; both kinds are needed"),
        (Examples(x, array([0, 1, 2, 1])), r"pairs.y: got \[0, 1, 2\]; both kinds are needed"),
        (Examples(x, array([0, 1, 1])), r"pairs.x: got shape \(4, 2, 3\) and 3 labels"),
        (Examples(x[:, :1], array([0, 1, 1, 0])), r"pairs.x: got shape \(4, 1, 3\) and 4 labels"),
        (Examples(x[:, :, 0], array([0, 1, 1, 0])), r"pairs.x: got shape \(4, 2\) and 4 labels"),
        (Examples(x, array([0.0, 1.0, 1.0, 0.0])), r"pairs.y: got float\d\d of shape \(4,\); classes are"),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            check_pairs(pairs)


def test_a_batch_holds_a_whole_number_for_each_input(array):
    x = array(np.zeros((3, 2)).tolist())
    check_batch(Examples(x, array([7, 0, 7])))
    for batch, words in (
        (Examples(x, array([0, 1])), "batch: got 3 inputs and 2 labels; each input needs one"),
        (Examples(x, array([0.0, 1.0, 1.0])), r"batch.y: got float\d\d of shape \(3,\); classes are whole"),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            check_batch(batch)


def test_one_class_alone_and_one_example_alone_are_named(array):
    check_several(array([0, 3]))
    check_partners(array([5, 0, 5, 0]))
    for check in (check_several, check_partners):
        with pytest.raises(ValueError, match=r"y: got class 2 alone; two classes or more are compared\.$"):
            check(array([2, 2, 2]))
    with pytest.raises(ValueError, match=r"^batch.y: class 4 has one example; each needs two or more"):
        check_partners(array([0, 0, 4, 1, 1]))
