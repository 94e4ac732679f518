"""What a figure is drawn from: tensors or NumPy arrays, checked once."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import DomainError, ShapeError, check_count, sentence

__all__ = ["Curve", "Curves", "Samples", "checked", "checked_by_width"]

Curve = Float[Tensor, " points"] | Float[np.ndarray, " points"]
Curves = Float[Tensor, "seeds points"] | Float[np.ndarray, "seeds points"]
Samples = Float[Tensor, " samples"] | Float[np.ndarray, " samples"]


def checked(values: object, shape: Sequence[int | str], *, where: str) -> npt.NDArray[np.float64]:
    """``values`` as float64, if every size in ``shape`` that is a number is met and every entry is finite."""
    array = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values, dtype=np.float64)
    fits = array.ndim == len(shape) and all(
        size == wanted for size, wanted in zip(array.shape, shape, strict=True) if isinstance(wanted, int)
    )
    if not fits:
        expected = f"shape [{', '.join(str(size) for size in shape)}]"
        raise ShapeError(sentence(where, expected, str(list(array.shape)), "check which axis holds what"))
    if array.size == 0 or not np.isfinite(array).all():
        received = f"{int((~np.isfinite(array)).sum())} NaN or infinite of {array.size}"
        raise DomainError(sentence(where, "finite values, at least one", received, "look at what made them"))
    return array


def checked_by_width(
    by_width: Mapping[int, object], shape: Sequence[int | str], *, where: str
) -> dict[int, npt.NDArray[np.float64]]:
    """The same for ``{width: values}``; widths come back in increasing order."""
    if not by_width:
        raise DomainError(sentence(where, "{width: values} with at least one width", "none", "pass one"))
    for width in by_width:
        check_count(width, name="width", where=where)
    return {width: checked(by_width[width], shape, where=f"{where}, width {width}") for width in sorted(by_width)}
