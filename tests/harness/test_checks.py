import numpy as np
import pytest
import torch

from randformer.core.transformer import Network
from randformer.harness.checks import BadInput, at_least, default_but_for, numbers, one_of, shaped


@pytest.mark.parametrize("value", [1, 5])
def test_whole_numbers_pass_where_the_bound_is_whole(value):
    at_least("m", value, 1)


@pytest.mark.parametrize("value", [0, 1.0, True, "3", None, float("inf")])
def test_others_do_not(value):
    with pytest.raises(BadInput, match=r"^m = .*: give a whole number, at least 1$"):
        at_least("m", value, 1)


def test_there_may_be_an_upper_bound():
    at_least("n", 10, 3, 10)
    with pytest.raises(BadInput, match=r"^n = 11: give a whole number, at least 3 and at most 10$"):
        at_least("n", 11, 3, 10)


@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf"), "3", None])
def test_numbers_below_or_beyond(value):
    with pytest.raises(BadInput, match=r"^q = .*: give a number, at least 1$"):
        at_least("q", value, 1.0)


@pytest.mark.parametrize("values", [[1, 2], (1, 2), np.array([1, 2]), torch.tensor([1, 2]), list(np.array([1, 2]))])
def test_a_list_of_numbers_may_be_an_array(values):
    assert numbers("x", values, 2, 0, 5) == [1, 2]
    assert {type(value) for value in numbers("x", values, 2, 0, 5)} == {int}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1], r"^x: give a list of 2 numbers, 1 were given$"),
        (3, r"^x: give a list of 2 numbers, not 3$"),
        ("12", r"^x: give a list of 2 numbers, not '12'$"),
        ([1, 6], r"^x\[1\] = 6: give a whole number, at least 0 and at most 5$"),
        ([[1], [2]], r"^x\[0\] = \[1\]: give a whole number, at least 0 and at most 5$"),
    ],
)
def test_other_lists_are_refused(values, told):
    with pytest.raises(BadInput, match=told):
        numbers("x", values, 2, 0, 5)


def test_a_choice_must_be_of_the_same_type():
    one_of("mlp", True, (False, True))
    with pytest.raises(BadInput, match="mlp = 1: give one of False, True"):
        one_of("mlp", 1, (False, True))


def test_a_text_must_have_the_shape_of_the_example():
    shaped("scheduler", "tcp://a:1", r"tcp://.+:\d+", "tcp://HOST:PORT")
    with pytest.raises(BadInput, match=r"^scheduler = 'tcp://a:1 ': give tcp://HOST:PORT$"):
        shaped("scheduler", "tcp://a:1 ", r"tcp://.+:\d+", "tcp://HOST:PORT")


def test_what_differs_from_the_default_is_seen_in_every_field_but_those_named():
    assert default_but_for(Network(width=20), "width")
    assert default_but_for(Network(), "width", "mlp")
    assert not default_but_for(Network(width=20, mlp=True), "width")
