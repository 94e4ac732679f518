"""What the layerwise way does with each layer, and what that needs."""

from __future__ import annotations

from typing import NamedTuple

from ntk_teach.empirical.batch import values
from ntk_teach.empirical.calls import Call, ConvolutionLayer
from ntk_teach.empirical.convolution import Form, chosen, held, meeting
from ntk_teach.empirical.patches import Sizes, sizes
from ntk_teach.empirical.problem import Problem
from ntk_teach.empirical.reading import Reading

__all__ = ["Plan"]


class Plan(NamedTuple):
    """The form of each layer in the order of the calls, None for a linear one; and bytes for each input."""

    forms: list[Form | None]
    per_input: int  # as long as the input is in a block
    working: int  # as long as signals are on their way to it; 0: a block goes through the network as a whole

    @classmethod
    def of(cls, problem: Problem, reading: Reading) -> Plan:
        """For the network and the numbers of inputs and outputs of this problem."""
        itemsize, c = problem.itemsize, problem.outputs
        first, second = (values(problem.x1 if x is None else x) for x in (problem.x1, problem.x2))
        size = [sizes(call) if isinstance(call.layer, ConvolutionLayer) else None for call in problem.triple]
        forms = [None if each is None else chosen(each, reading, len(first), len(second)) for each in size]
        walk = _walk(problem, size)
        pairs = [(each, form) for each, form in zip(size, forms, strict=True) if each is not None and form is not None]
        if not pairs:
            return cls(forms, walk, 0)
        dense = [call for call in problem.triple if not isinstance(call.layer, ConvolutionLayer)]
        kept = sum(call.post.shape[1] + c * len(call.layer.weight) for call in dense)
        kept += sum(held(*pair, c) + c * pair[0].groups * pair[0].leaving for pair in pairs)
        per_input = itemsize * (kept + max(meeting(*pair, c) for pair in pairs))
        under = max(each.groups * each.sites * each.patch for each, _ in pairs)
        # The look at the door saw x1; where images of x2 are larger, so is everything else.
        larger = max(1, -(-second[0].numel() // first[0].numel()))
        return cls(forms, larger * per_input, larger * (walk + 2 * itemsize * under + per_input))


def _walk(problem: Problem, size: list[Sizes | None]) -> int:
    """What autograd keeps, the units that enter and, for all outputs, the δ of all layers."""
    entering = sum(call.post[0].numel() for call in problem.triple)
    leaving = [_leaving(call, each) for call, each in zip(problem.triple, size, strict=True)]
    passing = 3 * max([values(problem.x1)[0].numel(), *leaving])  # in the arithmetic of one layer
    return problem.kept + problem.itemsize * (entering + (problem.outputs + 1) * (sum(leaving) + passing))


def _leaving(call: Call, size: Sizes | None) -> int:
    return len(call.layer.weight) * (1 if size is None else size.sites)
