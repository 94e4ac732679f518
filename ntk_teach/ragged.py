"""Inputs of unequal size in one batch: sequences of different length, graphs with different numbers of nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import DomainError, DtypeError, ShapeError, check_array, check_same, sentence

__all__ = ["Ragged"]


@dataclass(frozen=True, eq=False)
class Ragged:
    """Inputs with sites of their own, padded to the largest; what was padded is marked and never counts.

    Build it with ``Ragged.sequences`` or ``Ragged.graphs``. It is cut, moved and cast like a tensor.

    Args:
        values: features at each site. [n, p, d]
        present: 1 where a site is there, 0 where it was padded. [n, p]
        edges: adjacency matrices of graphs; None for sequences. [n, p, p]
    """

    values: Float[Tensor, "n p d"]
    present: Float[Tensor, "n p"]
    edges: Float[Tensor, "n p p"] | None = None

    def __post_init__(self) -> None:
        n, p = self.values.shape[:2]
        for name, part, shape in (("present", self.present, [n, p]), ("edges", self.edges, [n, p, p])):
            if part is not None and list(part.shape) != shape:
                do = "build it with Ragged.sequences or Ragged.graphs"
                expected = f"{name} of shape {shape} beside values of shape {list(self.values.shape)}"
                raise ShapeError(sentence("Ragged", expected, str(list(part.shape)), do))

    @classmethod
    def sequences(cls, sequences: Sequence[Tensor]) -> Ragged:
        """Sequences [t_i, d] of any lengths t_i, aligned at their *ends*, where a recurrent network reads them out.

        Raises: DtypeError, DomainError, ShapeError for something that is no finite floating [t, d], or unequal d.
        Chapter: 10_recurrent_ntk.
        """
        where = "Ragged.sequences"
        parts = _checked(sequences, "[t, d]", where)
        longest = max(len(part) for part in parts)
        pads = [(0, 0, longest - len(part), 0) for part in parts]
        values = torch.stack([torch.nn.functional.pad(part, pad) for part, pad in zip(parts, pads, strict=True)])
        ones = [part.new_ones(len(part), 1) for part in parts]
        present = torch.stack([torch.nn.functional.pad(one, pad)[:, 0] for one, pad in zip(ones, pads, strict=True)])
        return cls(values, present)

    @classmethod
    def graphs(cls, features: Sequence[Tensor], edges: Sequence[Tensor]) -> Ragged:
        """Graphs with node features [p_i, d] and symmetric adjacency matrices [p_i, p_i] without self loops.

        Raises: as ``sequences``; ShapeError for an adjacency of another size; DomainError for one that is not
        symmetric, is negative, or has self loops (``Aggregate`` adds them). Chapter: 11_graph_ntk.
        """
        where = "Ragged.graphs"
        parts = _checked(features, "[nodes, d]", where)
        _check_list(edges, "adjacency matrices", where)
        if len(edges) != len(parts):
            received = f"{len(edges)} for {len(parts)} graphs"
            raise ShapeError(sentence(where, "one adjacency matrix a graph", received, "check the two lists"))
        most = max(len(part) for part in parts)
        matrices = []
        for number, (part, matrix) in enumerate(zip(parts, edges, strict=True)):
            if isinstance(matrix, Tensor) and matrix.layout != torch.strided:
                do = "call .to_dense() on it"
                raise DtypeError(sentence(where, f"edges[{number}] a dense matrix", str(matrix.layout), do))
            check_array(matrix, name=f"edges[{number}]", shape="[nodes, nodes]", where=where)
            check_same(part, matrix, names=(f"features[{number}]", f"edges[{number}]"), where=where)
            if matrix.shape != (len(part), len(part)):
                expected = f"edges[{number}] of shape {[len(part)] * 2}"
                raise ShapeError(sentence(where, expected, str(list(matrix.shape)), "one row and column a node"))
            if not torch.equal(matrix, matrix.T) or bool((matrix < 0).any()) or bool(matrix.diagonal().any()):
                expected = f"edges[{number}] symmetric, not negative, with a diagonal of zeros"
                do = "give each edge in both directions and no self loops: Aggregate adds them"
                raise DomainError(sentence(where, expected, "another matrix", do))
            matrices.append(torch.nn.functional.pad(matrix, (0, most - len(part), 0, most - len(part))))
        values = torch.stack([torch.nn.functional.pad(part, (0, 0, 0, most - len(part))) for part in parts])
        rows = torch.arange(most, device=values.device)
        sizes = torch.tensor([len(part) for part in parts], device=values.device)
        return cls(values, (rows < sizes[:, None]).to(values), torch.stack(matrices))

    @property
    def dtype(self) -> torch.dtype:
        return self.values.dtype

    @property
    def device(self) -> torch.device:
        return self.values.device

    @property
    def requires_grad(self) -> bool:
        return self.values.requires_grad

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | Tensor) -> Ragged:
        return self._each(lambda part: part[rows])

    def to(self, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Ragged:
        return self._each(lambda part: part.to(device=device, dtype=dtype))

    def detach(self) -> Ragged:
        return self._each(Tensor.detach)

    def holding(self, values: Tensor) -> Ragged:
        """The same sites with other features."""
        return replace(self, values=values)

    def _each(self, do: Callable[[Tensor], Tensor]) -> Ragged:
        return Ragged(do(self.values), do(self.present), None if self.edges is None else do(self.edges))


def _check_list(parts: object, of: str, where: str) -> None:
    if not isinstance(parts, Sequence | Tensor):
        do = "put them in a list, one for each input"
        raise DtypeError(sentence(where, f"a list of {of}", type(parts).__name__, do))


def _checked(parts: Sequence[Tensor], shape: str, where: str) -> list[Tensor]:
    _check_list(parts, f"tensors {shape}", where)
    if not len(parts):
        raise DomainError(sentence(where, "at least one input", "an empty list", "check the batch"))
    for number, part in enumerate(parts):
        check_array(part, name=f"input {number}", shape=shape, where=where)
        check_same(parts[0], part, names=("input 0", f"input {number}"), where=where)
        if part.ndim != 2 or part.shape[1] != parts[0].shape[-1]:
            expected = f"{shape} with the same d in every input ({parts[0].shape[-1]})"
            do = "one row a site, one column a feature"
            raise ShapeError(sentence(f"{where}, input {number}", expected, str(list(part.shape)), do))
    return list(parts)
