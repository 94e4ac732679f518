"""Is Θ(x, x') defined for this network and these inputs? Asked once, at the door, with four examples."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ntk_teach.empirical.batch import accepted, checked, different, joined, padded, parts, same_kind, shown, values
from ntk_teach.empirical.calls import LINEAR, Call, Layer, observed, recorded
from ntk_teach.empirical.plain import row_of_layers
from ntk_teach.errors import DomainError, DtypeError, NTKError, ShapeError, check_scale, sentence
from ntk_teach.inputs import Inputs
from ntk_teach.ragged import Ragged

__all__ = ["Problem", "examined", "readable"]

MEMORY = 2 * 2**30  # bytes, the default of every public function


class Problem(NamedTuple):
    """A network and inputs that have a kernel, and what a look at three of them showed."""

    network: nn.Module
    x1: Inputs
    x2: Inputs | None
    outputs: int  # c
    memory: float  # bytes
    where: str
    layers: list[Layer]  # that the layerwise way would use
    single: list[Call]  # the first input alone
    triple: list[Call]  # the first input twice, then another
    output: Tensor | None  # of the three, with its graph; None for a plain row of layers, which was not tried
    kept: int  # bytes that a forward pass keeps for each input

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return values(self.x1).element_size()


def examined(network: object, x1: Inputs, x2: Inputs | None, memory: float | int, *, where: str) -> Problem:
    """The checked arguments. Raises what the public functions say they raise."""
    if not isinstance(network, nn.Module):
        do = "pass arch.network(width=..., like=x), or use arch.ntk(x) for the limit"
        raise DtypeError(sentence(where, "network a torch.nn.Module", type(network).__name__, do))
    allowed = check_scale(memory, name="memory", where=where)
    first = checked(x1, "x1", where)
    second = None if x2 is None else checked(x2, "x2", where)
    _refuse_training_modules(network, where)
    if not any(p.requires_grad for p in network.parameters()):
        do = "nothing is trained: set requires_grad on the parameters that are"
        raise NTKError(sentence(where, "a network with trained parameters", "none", do))
    layers = observed(network)
    inputs = [first] if second is None else [first, second]
    row = row_of_layers(network, inputs)
    if row is not None and isinstance(first, Tensor):
        linear = [module for module in network.modules() if isinstance(module, LINEAR)]
        units = sum(sum(layer.weight.shape) for layer in linear)
        outputs, passing = len(linear[-1].weight), 3 * first.element_size() * units
        return Problem(network, first, second, outputs, allowed, where, layers, [], row, None, passing)
    with recorded(layers) as single:
        alone = readable(accepted(network, first, name="x1", where=where), first[:1], "x1", where)
    outputs = alone.shape[1]
    if second is not None:
        same_kind(first, second, where)
        if values(second).shape[1:] != values(first).shape[1:]:
            other = readable(accepted(network, second, name="x2", where=where), second[:1], "x2", where)
            if other.shape[1] != outputs:
                received = f"{outputs} for x1 {shown(first)}, {other.shape[1]} for x2 {shown(second)}"
                raise ShapeError(sentence(where, "as many outputs for x2 as for x1", received, "check both shapes"))
    # Not a palindrome: whoever adds up, reverses or centers the batch gives one of the first two rows away.
    one, another = _two(first, second)
    three = joined([one, one, another])
    with torch.enable_grad(), recorded(layers) as triple, _Kept(network, three) as kept:
        together = readable(network(three), three, "x1", where)
    # An output near 0 is a sum whose terms are not: they say how large its rounding is.
    terms = max((float(call.post.detach().abs().max()) for call in triple), default=0.0)
    if not _near(together.detach(), alone, terms):
        received = "an output that changes with the others in the batch, or from one call to the next"
        do = "call network.eval() if that is the training mode; otherwise Θ(x, x') does not exist"
        raise DomainError(sentence(where, "a network that treats the inputs one by one", received, do))
    if isinstance(first, Ragged):
        _refuse_padding(network, first[:1], alone, terms, where)
    return Problem(
        network, first, second, outputs, allowed, where, layers, single, triple, together, kept.bytes // 3 + 1
    )


def _two(x1: Inputs, x2: Inputs | None) -> tuple[Inputs, Inputs]:
    """The first input and one that is not the same, if there is any: copies of one input cannot be seen to mix.

    Each [1, …]; of ``Ragged`` inputs as large as the largest, whose forward pass keeps most.
    """
    one, most = x1[:1], 0
    if isinstance(x1, Ragged):
        most = max(values(x).shape[1] for x in (x1, x2) if x is not None)
    for x in (x1,) if x2 is None else (x1, x2):
        mine = one if x is x1 else padded(one, values(x).shape[1])
        if values(x).shape[1:] != values(mine).shape[1:]:
            if isinstance(x, Tensor):
                continue  # images of another size, which cannot stand in one batch
            x = padded(x, most)
        if bool(different(x[-1:], mine)):
            return padded(one, most), padded(x[-1:], most)
        others = different(x, mine).nonzero()  # [others, 1]
        if len(others):
            return padded(one, most), padded(x[others[-1]], most)
    return padded(one, most), padded(one, most)


def _refuse_padding(network: nn.Module, one: Inputs, alone: Tensor, terms: float, where: str) -> None:
    """The sites of an input are its own; how far it is padded is an affair of its company."""
    more = padded(one, values(one).shape[1] + 1)
    try:
        with torch.no_grad():
            longer = readable(network(more), more, "x1", where)
    except (RuntimeError, ShapeError):
        return  # made for this number of sites
    if not _near(longer, alone, terms):
        received = "an output that changes with the sites that are padded"
        do = "multiply by x.present[..., None] before sites are added up, and divide by x.present.sum(1) for a mean"
        raise DomainError(sentence(where, "a network in which padded sites do not count", received, do))


def readable(output: object, x: Inputs, name: str, where: str) -> Tensor:
    """The outputs [b, c] of a network that gives [b, c], or [b] for a single one."""
    if isinstance(output, Tensor) and output.ndim in (1, 2) and len(output) == len(x) and output.numel():
        return output.reshape(len(x), -1)  # [b, c]
    found = f"of shape {list(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
    received = f"{found} for {name} {shown(x)}" if isinstance(x, Ragged) else f"{found} for {name} of shape {shown(x)}"
    do = "one input is one entry of the first axis; flatten further axes of the output"
    if isinstance(output, Ragged):
        do = "read out the sites, with LastStep(), AverageSteps() or GraphSum()"
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

    def __init__(self, network: nn.Module, x: Inputs) -> None:
        known = [*network.parameters(), *network.buffers(), *parts(x)]
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
