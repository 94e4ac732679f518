"""Which device is chosen, and what the processor is called."""

import platform

import torch

import ntk_teach as ntk
from ntk_teach.device import processor


def test_the_device_is_cuda_exactly_where_there_is_one(monkeypatch):
    """ntk.device() is a CUDA device if torch sees one, and the CPU otherwise."""
    for available, kind in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert ntk.device().type == kind


def test_the_processor_has_a_name_and_the_machine_none():
    """A name for the provenance of a measurement, which is not the host's."""
    assert processor()
    assert processor() != platform.node()
