"""Batches that an architecture takes."""

import pytest
from site_networks import IMAGES, batch, drawn

import ntk_teach as ntk
from ntk_teach import (
    Ragged,
)
from ntk_teach.inputs import check_batches


@pytest.mark.boundary
@pytest.mark.parametrize(
    ("x1", "x2", "words"),
    [
        (drawn(2, 3), drawn(2, 4), "same number of coordinates"),
        (drawn(2, 3), drawn(2, 3, 3), "of one kind"),
        (drawn(2, 3, 3), Ragged.sequences([drawn(2, 3)]), "of one kind"),
        (drawn(2, 3), drawn(2, 3).float(), "one dtype"),
        (drawn(2), None, r"inputs of shape \[n, d\]"),
        (drawn(0, 3), None, "non-empty"),
    ],
)
def test_batches_that_do_not_fit_are_refused(x1, x2, words):
    with pytest.raises(ntk.errors.NTKError, match=words):
        check_batches(x1, x2, where="here")


def test_batches_that_fit_come_back():
    one, two = batch("graph"), batch("graph")[:1]
    assert check_batches(one, two, where="here") == (one, two)
    assert check_batches(IMAGES, None, where="here") == (IMAGES, None)
