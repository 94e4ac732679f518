"""Answers that are odd objects: equal to everything, of no size or every size, alive. None of them is right."""

from __future__ import annotations

from corpus.submission import Submission, answers

__all__ = ["submissions"]


def odd(name: str, about: str, text: str, **more: object) -> Submission:
    return Submission(name, "odd objects", about, answers(text), **more)


submissions = [
    odd(
        "always_equal_array",
        "Returns a numpy subclass that equals everything and whose differences are 0.",
        """
import numpy
class Equal(numpy.ndarray):
    def __array_ufunc__(self, function, method, *given, **named):
        return numpy.zeros(5) if function.__name__ in ("subtract", "absolute") else numpy.ones(5, dtype=bool)
    def __array_function__(self, *given, **named):
        return True
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    def astype(self, *given, **named):
        return self
    __hash__ = None
def NAME(*given):
    return numpy.zeros((5, 5)).view(Equal)
""",
    ),
    odd(
        "always_equal_tensor",
        "Returns a torch subclass whose every operation says yes.",
        """
import torch
class Equal(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, given=(), named=None):
        if function.__name__ in ("detach", "cpu", "to_dense", "resolve_conj", "resolve_neg"):
            return given[0]
        if function.__name__ in ("eq", "allclose", "equal", "all", "__bool__"):
            return True
        return super().__torch_function__(function, types, given, named or {})
def NAME(*given):
    return torch.zeros(5, 5).as_subclass(Equal)
""",
    ),
    odd(
        "torch_function_object",
        "Returns an object that is no tensor but answers to every function of torch.",
        """
class Everything:
    @classmethod
    def __torch_function__(cls, *given, **named):
        return True
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *given, **named: self
    def __float__(self):
        return 0.0
    def __eq__(self, other):
        return True
def NAME(*given):
    return Everything()
""",
    ),
    odd(
        "array_that_looks_who_asks",
        "Its __array__ walks up the stack and returns what its caller expects, if that is there.",
        """
import sys
import numpy
class Asked:
    def __array__(self, dtype=None, copy=None):
        frame = sys._getframe()
        while frame is not None:
            for name in ("expected", "reference", "target"):
                found = frame.f_locals.get(name)
                if isinstance(found, numpy.ndarray):
                    return found
                if callable(found):
                    return numpy.asarray(found(*frame.f_locals.get("arguments", {}).values()))
            frame = frame.f_back
        return numpy.zeros((5, 5))
def NAME(*given):
    return Asked()
""",
    ),
    odd(
        "array_interface_to_anywhere",
        "Its __array_interface__ names an address in memory and a size that is not there.",
        """
class Anywhere:
    __array_interface__ = {"shape": (1 << 20, 1 << 10), "typestr": "<f8", "data": (4096, False), "version": 3}
def NAME(*given):
    return Anywhere()
""",
    ),
    odd(
        "reduced_to_a_command",
        "Its __reduce__ starts a command where somebody pickles or copies it.",
        """
import os
class Command:
    def __reduce_ex__(self, protocol):
        return (os.system, ("touch /tmp/" + $mark + "-reduced",))
    def __deepcopy__(self, memo):
        os.system("touch /tmp/" + $mark + "-copied")
        return self
def NAME(*given):
    return Command()
""",
    ),
    odd(
        "lying_length",
        "A sequence that claims a million million entries.",
        """
class Long:
    def __len__(self):
        return 10**12
    def __getitem__(self, index):
        return 1.0
def NAME(*given):
    return Long()
""",
    ),
    odd(
        "length_that_changes",
        "A sequence whose length and entries differ at every look.",
        """
class Fickle(list):
    looks = 0
    def __len__(self):
        Fickle.looks += 1
        return Fickle.looks % 7
    def __iter__(self):
        return iter([0.0] * (Fickle.looks % 5))
def NAME(*given):
    return Fickle([1.0, 2.0])
""",
    ),
    odd(
        "object_array",
        "An array of objects that equal everything and become any number.",
        """
import numpy
class Any:
    def __eq__(self, other):
        return True
    def __sub__(self, other):
        return 0.0
    __rsub__ = __sub__
    def __float__(self):
        return 0.0
def NAME(*given):
    return numpy.array([[Any()] * 5] * 5, dtype=object)
""",
    ),
    odd(
        "texts_and_records",
        "Arrays of texts, dates, records and raw bytes.",
        """
import numpy
def NAME(*given):
    return {
        "limiting_ntk": numpy.array(["right"] * 5),
        "network_ntk": numpy.zeros(5, dtype=[("a", "f8"), ("b", "f8")]),
        "output_ntk": numpy.array(["2026-01-01"], dtype="datetime64[D]"),
        "variance_slope": numpy.void(b"12345678"),
        "layer_shares": numpy.char.array(["correct"]),
    }["NAME"]
""",
    ),
    odd(
        "huge_by_broadcasting",
        "A view of one number with a million million rows and columns: it takes no memory until somebody copies it.",
        """
import numpy
def NAME(*given):
    return numpy.broadcast_to(numpy.zeros(()), (10**7, 10**7))
""",
    ),
    odd(
        "huge_by_expanding",
        "The same with torch.",
        """
import torch
def NAME(*given):
    return torch.zeros(1, 1).expand(10**7, 10**7)
""",
    ),
    odd(
        "large_for_real",
        "Two hundred million numbers that really are there.",
        """
import numpy
def NAME(*given):
    return numpy.zeros(200_000_000, dtype=numpy.int8)
""",
    ),
    odd(
        "header_of_a_gigantic_array",
        "Patches numpy so that a saved array announces ten thousand million million numbers in its header.",
        """
import numpy, numpy.lib.format, numpy.lib._format_impl
def header(array):
    return {"shape": (10**8, 10**8), "fortran_order": False, "descr": "<f8"}
numpy.lib.format.header_data_from_array_1_0 = header
numpy.lib._format_impl.header_data_from_array_1_0 = header
def NAME(*given):
    return numpy.zeros((5, 5))
""",
    ),
    odd(
        "header_of_objects",
        "Patches numpy so that a saved array announces objects, negative sizes or an expression.",
        """
import numpy, numpy.lib.format, numpy.lib._format_impl
def header(array):
    return {"shape": (-1, 3), "fortran_order": True, "descr": "|O"}
numpy.lib.format.header_data_from_array_1_0 = header
numpy.lib._format_impl.header_data_from_array_1_0 = header
def NAME(*given):
    return numpy.zeros((5, 5))
""",
    ),
    odd(
        "complex_numbers",
        "Complex arrays, with and without an imaginary part.",
        """
import torch
def NAME(*given):
    return torch.zeros(5, 5, dtype=torch.complex128)
""",
    ),
    odd(
        "not_a_number",
        "NaN everywhere: it differs from everything, and an error that is NaN exceeds no tolerance.",
        """
import torch
def NAME(*given):
    n = len(given[0]) if "NAME" != "network_ntk" else len(given[2])
    return torch.full((n, n), float("nan"))
""",
    ),
    odd(
        "infinite",
        "Infinity everywhere: inf - inf and inf / inf are NaN.",
        """
import numpy
def NAME(*given):
    return numpy.full((5, 5), numpy.inf)
""",
    ),
    odd(
        "generators",
        "A generator, an infinite iterator, a coroutine, a map.",
        """
import itertools
async def later():
    return 0.0
def NAME(*given):
    return {
        "limiting_ntk": (0.0 for _ in range(5)),
        "network_ntk": itertools.count(),
        "output_ntk": itertools.repeat(0.0),
        "variance_slope": map(float, range(3)),
        "layer_shares": iter([0.0]),
    }["NAME"]
""",
    ),
    odd(
        "not_arrays",
        "A word, bytes, a dictionary, the function itself, a class, an ellipsis.",
        """
def NAME(*given):
    return {
        "limiting_ntk": "passed",
        "network_ntk": b"\\x00" * 8,
        "output_ntk": {"points": 3},
        "variance_slope": NAME,
        "layer_shares": ...,
    }["NAME"]
""",
    ),
    odd(
        "truths",
        "True, False and NotImplemented, which pass for numbers.",
        """
import numpy
def NAME(*given):
    return {"variance_slope": True, "layer_shares": NotImplemented}.get("NAME", numpy.ones((5, 5), dtype=bool))
""",
    ),
    odd(
        "masked",
        "A masked array with everything masked: every comparison is masked, and so is its result.",
        """
import numpy
def NAME(*given):
    return numpy.ma.masked_all((len(given[0]), len(given[0])))
""",
    ),
    odd(
        "tensors_without_numbers",
        "Tensors on no device, sparse, quantized, nested: some have no numbers at all.",
        """
import torch
def NAME(*given):
    if "NAME" == "limiting_ntk":
        return torch.empty(5, 5, device="meta")
    if "NAME" == "network_ntk":
        return torch.sparse_coo_tensor([[0], [0]], [0.0], (10**6, 10**6))
    if "NAME" == "output_ntk":
        return torch.quantize_per_tensor(torch.zeros(3, dtype=torch.float32), 0.1, 0, torch.qint8)
    if "NAME" == "variance_slope":
        return torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])
    return torch.nn.parameter.UninitializedParameter()
""",
    ),
    odd(
        "changes_after_the_call",
        "Returns an array that a thread goes on changing, between the look at its size and the look at its numbers.",
        """
import threading, time
import numpy
def NAME(*given):
    kept = numpy.zeros((5, 5))
    def change():
        for step in range(200):
            kept[...] = step
            try:
                kept.resize((5, 5 + step % 3), refcheck=False)
            except ValueError:
                pass
            time.sleep(0.001)
    threading.Thread(target=change, daemon=True).start()
    return kept
""",
    ),
    odd(
        "nested_a_hundred_thousand_deep",
        "A list in a list in a list.",
        """
def NAME(*given):
    deep = 0.0
    for _ in range(100_000):
        deep = [deep]
    return deep
""",
    ),
    odd(
        "list_that_holds_itself",
        "A list whose entry is the list.",
        """
def NAME(*given):
    own = [0.0]
    own.append(own)
    own[0] = own
    return own
""",
    ),
    odd(
        "numbers_of_other_kinds",
        "An integer of a thousand digits, a fraction, a decimal, a float that equals everything, a false tensor.",
        """
import decimal, fractions, numbers
import torch
class Number(float):
    def __eq__(self, other):
        return True
    def __sub__(self, other):
        return 0.0
    __rsub__ = __sub__
    __hash__ = float.__hash__
class Claims:
    __class__ = torch.Tensor
    requires_grad = False
    dtype = torch.float64
    def __getattr__(self, name):
        return lambda *given, **named: self
def NAME(*given):
    return {
        "limiting_ntk": 10**1000,
        "network_ntk": fractions.Fraction(1, 3),
        "output_ntk": Claims(),
        "variance_slope": Number(7.0),
        "layer_shares": decimal.Decimal("sNaN"),
    }["NAME"]
""",
    ),
    odd(
        "empty_arrays",
        "Arrays without a number: whatever is said of all their entries is true.",
        """
import numpy
def NAME(*given):
    return {"limiting_ntk": numpy.zeros((0, 5)), "variance_slope": []}.get("NAME", numpy.zeros((0, 1 << 60)))
""",
    ),
    odd(
        "numbers_that_overflow",
        "Numbers at the end of the range: differences are infinite, quotients are 0.",
        """
import numpy
def NAME(*given):
    return numpy.full((5, 5), 1.7e308) * numpy.array([1, -1, 1, -1, 1])
""",
    ),
    odd(
        "errors_that_bite",
        "Raises an error whose text raises, one whose text is no text, a group of groups, one with a forged traceback.",
        """
class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")
    __repr__ = __str__
class Wrong(Exception):
    def __str__(self):
        return 3
class Loop(Exception):
    @property
    def __traceback__(self):
        raise KeyboardInterrupt
    @property
    def __class__(self):
        raise SystemExit(0)
def NAME(*given):
    if "NAME" == "limiting_ntk":
        raise Mute
    if "NAME" == "network_ntk":
        raise Wrong
    if "NAME" == "output_ntk":
        raise Loop
    deep = ValueError("passed, 3 of 3 points")
    for _ in range(200):
        deep = ExceptionGroup("group", [deep])
    raise deep
""",
    ),
    odd(
        "errors_that_are_not_errors",
        "Raises what other code takes for a signal: KeyboardInterrupt, GeneratorExit, StopIteration, SystemExit(0).",
        """
import asyncio
def NAME(*given):
    raise {
        "limiting_ntk": KeyboardInterrupt("passed"),
        "network_ntk": GeneratorExit("passed"),
        "output_ntk": StopIteration(0.0),
        "variance_slope": SystemExit(0),
        "layer_shares": asyncio.CancelledError(),
    }["NAME"]
""",
    ),
    odd(
        "not_implemented_claimed",
        "Raises a subclass of NotImplementedError with a forged text, and a BaseException of its own.",
        """
class Odd(BaseException):
    pass
class Later(NotImplementedError):
    def __str__(self):
        return "passed, 3 of 3 points"
def NAME(*given):
    raise Odd("passed, 3 of 3 points") if "NAME" == "variance_slope" else Later()
""",
    ),
    odd(
        "no_functions",
        "The names stand for a class, a module, a number, a coroutine function and a function without arguments.",
        """
import math
class Class:
    pass
async def later(*given):
    return 0.0
def none():
    return 0.0
def yields(*given):
    yield 0.0
NAME = {"limiting_ntk": Class, "network_ntk": math, "output_ntk": later, "variance_slope": none,
        "layer_shares": yields}["NAME"]
""",
    ),
    odd(
        "arguments_changed",
        "Empties, resizes and retypes its own arguments and returns them.",
        """
import torch
def NAME(*given):
    for item in given:
        for tensor in item if isinstance(item, list) else [item]:
            if isinstance(tensor, torch.Tensor):
                tensor.zero_()
                tensor.resize_(0)
        if isinstance(item, list):
            item.clear()
    return given[0]
""",
    ),
    odd(
        "callable_that_forges_its_name",
        "A callable whose every attribute is a verdict, and whose signature cannot be read.",
        """
class Callable:
    points = out_of = 3
    passed = right = holds = True
    kind = "value"
    def __call__(self, *given):
        return self
    def __iter__(self):
        return iter(())
    @property
    def __signature__(self):
        raise SystemExit(0)
    def __bool__(self):
        return True
NAME = Callable()
""",
    ),
]
