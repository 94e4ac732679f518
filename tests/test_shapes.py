"""The names of arrays say what they accept."""

import pytest
import torch

from ntk_teach import shapes


def array(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.zeros(shape, dtype=dtype)


ACCEPTED = {
    "Images": array(2, 5, 6, 3),
    "OtherImages": array(4, 5, 6, 3),
    "Vectors": array(2, 3),
    "OtherVectors": array(4, 3, dtype=torch.float32),
    "Labels": array(2),
    "Gram": array(2, 4),
    "PairGram": array(2, 4, 7, 7),
    "Variances": array(2, 7),
    "OtherVariances": array(4),
}
REFUSED = {
    "Images": [array(2, 3), array(2, 5, 6, 3, dtype=torch.int64)],
    "OtherImages": [array(2, 3, 4)],
    "Vectors": [array(2), array(2, 3, 4), array(2, 3, dtype=torch.int64), [[0.0]]],
    "OtherVectors": [array(2), array(2, 3, 4)],
    "Labels": [array(2, 1), array(2, dtype=torch.int64)],
    "Gram": [array(2), array(2, 4, 1)],
    "PairGram": [array(2)],
    "Variances": [array()],
    "OtherVariances": [array()],
}


@pytest.mark.parametrize("name", shapes.__all__)
def test_a_name_accepts_its_arrays_and_no_other(name):
    """Every alias takes a floating tensor of its shape, and refuses other shapes, integers and lists."""
    alias = getattr(shapes, name)
    assert isinstance(ACCEPTED[name], alias)
    for wrong in REFUSED[name]:
        assert not isinstance(wrong, alias)
