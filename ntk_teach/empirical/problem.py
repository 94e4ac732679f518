"""Is Θ(x, x') defined for this network and these inputs? Asked once, at the door, with four examples."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ntk_teach.empirical.calls import LINEAR, Call, Layer, observed, recorded
from ntk_teach.empirical.plain import row_of_layers
from ntk_teach.errors import (
    DomainError,
    DtypeError,
    NTKError,
    ShapeError,
    check_accepts,
    check_same,
    check_scale,
    check_vectors,
    sentence,
)

__all__ = ["Problem", "examined", "readable"]

MEMORY = 2 * 2**30  # bytes, the default of every public function


class Problem(NamedTuple):
    """A network and inputs that have a kernel, and what a look at three of them showed."""

    network: nn.Module
    x1: Tensor
    x2: Tensor | None
    outputs: int  # c
    memory: float  # bytes
    where: str
    layers: list[Layer]  # that the layerwise way would use
    single: list[Call]  # the first input alone
    triple: list[Call]  # the first input twice, then another
    output: Tensor | None  # of the three, with its graph; None for a plain row of layers, which was not tried
    kept: int  # bytes that a forward pass keeps for each input


def examined(network: object, x1: Tensor, x2: Tensor | None, memory: float | int, *, where: str) -> Problem:
    """The checked arguments. Raises what the public functions say they raise."""
    if not isinstance(network, nn.Module):
        do = "pass arch.network(width=..., like=x), or use arch.ntk(x) for the limit"
        raise DtypeError(sentence(where, "network a torch.nn.Module", type(network).__name__, do))
    allowed = check_scale(memory, name="memory", where=where)
    first = _batch(x1, "x1", where)
    second = None if x2 is None else _batch(x2, "x2", where)
    _refuse_training_modules(network, where)
    if not any(p.requires_grad for p in network.parameters()):
        do = "nothing is trained: set requires_grad on the parameters that are"
        raise NTKError(sentence(where, "a network with trained parameters", "none", do))
    layers = observed(network)
    inputs = [first] if second is None else [first, second]
    row = row_of_layers(network, inputs)
    if row is not None:
        linear = [module for module in network.modules() if isinstance(module, LINEAR)]
        units = sum(sum(layer.weight.shape) for layer in linear)
        outputs, passing = len(linear[-1].weight), 3 * first.element_size() * units
        return Problem(network, first, second, outputs, allowed, where, layers, [], row, None, passing)
    with recorded(layers) as single:
        alone = readable(check_accepts(network, first, name="x1", where=where), first[:1], "x1", where)
    outputs = alone.shape[1]
    if second is not None:
        check_same(first, second, names=("x1", "x2"), where=where)
        if second.shape[1:] != first.shape[1:]:
            other = readable(check_accepts(network, second, name="x2", where=where), second[:1], "x2", where)
            if other.shape[1] != outputs:
                received = f"{outputs} for x1 {list(first.shape)}, {other.shape[1]} for x2 {list(second.shape)}"
                raise ShapeError(sentence(where, "as many outputs for x2 as for x1", received, "check both shapes"))
    # Not a palindrome: whoever adds up, reverses or centers the batch gives one of the first two rows away.
    three = torch.cat([first[:1], first[:1], _another(first, second)])
    with torch.enable_grad(), recorded(layers) as triple, _Kept(network, three) as kept:
        together = readable(network(three), three, "x1", where)
    # An output near 0 is a sum whose terms are not: they say how large its rounding is.
    terms = max((float(call.post.detach().abs().max()) for call in triple), default=0.0)
    if not _near(together.detach(), alone, terms):
        received = "an output that changes with the others in the batch, or from one call to the next"
        do = "call network.eval() if that is the training mode; otherwise Θ(x, x') does not exist"
        raise DomainError(sentence(where, "a network that treats the inputs one by one", received, do))
    return Problem(
        network, first, second, outputs, allowed, where, layers, single, triple, together, kept.bytes // 3 + 1
    )


def _another(x1: Tensor, x2: Tensor | None) -> Tensor:
    """An input [1, …] that is not the first one, if there is any: copies of one input cannot be seen to mix."""
    for x in (x1,) if x2 is None or x2.shape[1:] != x1.shape[1:] else (x1, x2):
        if not torch.equal(x[-1:], x1[:1]):
            return x[-1:]
        others = (x != x1[:1]).flatten(1).any(1).nonzero()  # [others, 1]
        if len(others):
            return x[others[-1]]
    return x1[:1]


def readable(output: object, x: Tensor, name: str, where: str) -> Tensor:
    """The outputs [b, c] of a network that gives [b, c], or [b] for a single one."""
    if isinstance(output, Tensor) and output.shape[:1] == x.shape[:1] and output.ndim in (1, 2) and output.numel():
        return output.reshape(len(x), -1)  # [b, c]
    shown = f"of shape {list(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
    received = f"{shown} for {name} of shape {list(x.shape)}"
    do = "one input is one entry of the first axis; flatten further axes of the output"
    raise ShapeError(sentence(where, "outputs of shape [n, c]", received, do))


def unmixed(problem: Problem) -> bool:
    """Do the layers, too, see for each input what they see for it alone?"""
    if [call.layer for call in problem.single] != [call.layer for call in problem.triple]:
        return False
    return all(
        alone.post.shape[1:] == together.post.shape[1:] and _near(together.post, alone.post)
        for alone, together in zip(problem.single, problem.triple, strict=True)
    )


def _near(batch: Tensor, alone: Tensor, terms: float = 0.0) -> bool:
    """Are the first two rows that of the first input alone, but for the rounding of another order of summation?

    ``terms`` is the size of what was summed, where it is larger than the sums.
    """
    rounding = torch.finfo(batch.dtype).eps ** 0.5 * batch.abs().max().clamp(min=terms)
    return not bool(((batch[:2] - alone).abs() > rounding).any())  # NaN is near NaN


def _batch(x: object, name: str, where: str) -> Tensor:
    """Inputs may have any number of axes after the first, but must be floating and finite."""
    flat = x.flatten(1) if isinstance(x, Tensor) and x.ndim > 2 else x
    check_vectors(flat, name=name, where=where)
    assert isinstance(x, Tensor)
    return x.detach()


def _refuse_training_modules(network: nn.Module, where: str) -> None:
    """Before the first forward pass: batch normalization would already change its running means there."""
    for name, module in network.named_modules():
        place = f"{type(module).__name__} ({name or 'the network'})"
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and (module.training or module.running_mean is None):
            received = f"{place}, which normalizes by the batch"
            do = "call network.eval()" if module.running_mean is not None else "use track_running_stats=True"
        elif isinstance(module, nn.modules.batchnorm._NormBase) and module.training and module.track_running_stats:
            received, do = f"{place}, which changes its running means", "call network.eval()"
        elif module.training and _draws(module):
            received, do = f"{place}, which draws at random in training mode", "call network.eval()"
        else:
            continue
        raise DomainError(sentence(where, "a network that treats the inputs one by one", received, do))


def _draws(module: nn.Module) -> bool:
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    rate = getattr(module, "dropout", 0.0)  # of nn.MultiheadAttention, nn.LSTM and their like
    return isinstance(module, nn.RReLU) or (isinstance(rate, float) and rate > 0)


class _Kept:
    """Bytes that autograd keeps for the backward pass, parameters and inputs apart."""

    def __init__(self, network: nn.Module, x: Tensor) -> None:
        known = [*network.parameters(), *network.buffers(), x]
        self._known = {tensor.untyped_storage().data_ptr() for tensor in known}
        self._storages: dict[int, int] = {}
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, self._unpack)

    @property
    def bytes(self) -> int:
        return sum(self._storages.values())

    def _pack(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._known:
            self._storages[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # the tensor itself would keep its own graph alive

    @staticmethod
    def _unpack(tensor: Tensor) -> Tensor:
        return tensor

    def __enter__(self) -> _Kept:
        self._hooks.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._hooks.__exit__(*exception)
