"""The batches that a network takes: tensors [n, …], or ``Ragged`` ones, whose inputs have sites of their own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ntk_teach.errors import DtypeError, ShapeError, check_accepts, check_array, check_same, check_vectors
from ntk_teach.errors import sentence as said
from ntk_teach.inputs import Inputs
from ntk_teach.nn import AtEachSite, GraphTotal, Levels, Neighbors
from ntk_teach.ragged import Ragged

__all__ = ["accepted", "assembled", "checked", "different", "joined", "padded", "parts", "same_kind", "shown", "values"]


def values(x: Inputs) -> Tensor:
    """The features, [n, …] or [n, p, d]."""
    return x.values if isinstance(x, Ragged) else x


def parts(x: Inputs) -> tuple[Tensor, ...]:
    """All tensors of a batch; each has the inputs along its first axis."""
    if isinstance(x, Tensor):
        return (x,)
    return (x.values, x.present) if x.edges is None else (x.values, x.present, x.edges)


def assembled(tensors: Sequence[Tensor]) -> Inputs:
    """The batch with these ``parts``."""
    return tensors[0] if len(tensors) == 1 else Ragged(*tensors)


def shown(x: Inputs) -> str:
    """For a message."""
    if isinstance(x, Tensor):
        return str(list(x.shape))
    kind = "sequences" if x.edges is None else "graphs"
    return f"Ragged {kind} with values of shape {list(x.values.shape)}"


def checked(x: object, name: str, where: str) -> Inputs:
    """Inputs may have any number of axes after the first, but must be floating and finite."""
    if isinstance(x, Ragged):
        check_array(x.values, name=name, shape="[n, p, d]", where=where)
        return x.detach()
    flat = x.flatten(1) if isinstance(x, Tensor) and x.ndim > 2 else x
    check_vectors(flat, name=name, where=where)
    assert isinstance(x, Tensor)
    return x.detach()


def same_kind(x1: Inputs, x2: Inputs, where: str) -> None:
    """Two batches for one network: of one dtype and device; both tensors, or sequences, or graphs."""
    check_same(values(x1), values(x2), names=("x1", "x2"), where=where)
    if len(parts(x1)) != len(parts(x2)):
        received = f"x1 {shown(x1)} and x2 {shown(x2)}"
        raise ShapeError(said(where, "x1 and x2 of one kind", received, "build both in the same way"))
    if isinstance(x1, Ragged) and values(x1).shape[-1] != values(x2).shape[-1]:
        received = f"{values(x1).shape[-1]} and {values(x2).shape[-1]}"
        raise ShapeError(said(where, "as many features in x2 as in x1", received, "check both batches"))


def accepted(network: nn.Module, x: Inputs, *, name: str, where: str) -> object:
    """The network's output at the first input of ``x``; what is wrong, with the place, if the two do not fit."""
    if isinstance(x, Tensor):
        try:
            return check_accepts(network, x, name=name, where=where)
        except AttributeError as fault:
            if not any(
                isinstance(module, AtEachSite | GraphTotal | Levels | Neighbors) for module in network.modules()
            ):
                raise
            do = "build it with Ragged.graphs([...], [...]) or Ragged.sequences([...])"
            received = f"a Tensor of shape {shown(x)}"
            raise DtypeError(said(where, f"{name} a Ragged batch, for this network", received, do)) from fault
    for parameter in network.parameters():
        check_same(parameter, x.values, names=("network", name), where=where)
    try:
        with torch.no_grad():
            return network(x[:1])
    except (ShapeError, RuntimeError, TypeError, AttributeError, AssertionError) as fault:
        says = str(fault) or type(fault).__name__
        do = f"build the network with arch.network(width=..., like={name}); its forward says: {says}"
        raise ShapeError(said(where, f"{name} of a kind that the network accepts", shown(x), do)) from fault


def padded(x: Inputs, sites: int) -> Inputs:
    """The same inputs, padded to so many sites where they have fewer: sequences before, graphs behind."""
    missing = sites - values(x).shape[1] if isinstance(x, Ragged) else 0
    if isinstance(x, Tensor) or missing <= 0:
        return x
    if x.edges is None:
        return Ragged(pad(x.values, (0, 0, missing, 0)), pad(x.present, (missing, 0)))
    behind = (0, missing)
    return Ragged(pad(x.values, (0, 0, *behind)), pad(x.present, behind), pad(x.edges, (*behind, *behind)))


def joined(batches: Sequence[Inputs]) -> Inputs:
    """One after the other; ``Ragged`` ones padded to the largest."""
    most = max(values(x).shape[1] for x in batches) if isinstance(batches[0], Ragged) else 0
    each = zip(*(parts(padded(x, most)) for x in batches), strict=True)
    return assembled([torch.cat(tensors) for tensors in each])


def different(x: Inputs, one: Inputs) -> Tensor:
    """Which inputs of ``x`` differ from the single one, of the same size. [n]"""
    unlike = [(many != single).flatten(1).any(1) for many, single in zip(parts(x), parts(one), strict=True)]
    return torch.stack(unlike).any(0)
