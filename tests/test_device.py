"""Which device is chosen."""

import torch

import ntk_teach as ntk


def test_the_device_is_cuda_exactly_where_there_is_one(monkeypatch):
    """ntk.device() is a CUDA device if torch sees one, and the CPU otherwise."""
    for available, kind in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert ntk.device().type == kind
