"""``python -m ntk_teach.experiments figure1 --size paper``: run an experiment and save what it found."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from ntk_teach.device import device as best_device
from ntk_teach.errors import NTKError
from ntk_teach.experiments.result import measured
from ntk_teach.experiments.sizes import EXPERIMENTS, SIZES, settings


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m ntk_teach.experiments",
        description="The experiments of the book that take longer than a page may, at three sizes.",
        epilog="example: python -m ntk_teach.experiments figure1 figure3 --size paper --device cuda --out book/results",
    )
    parser.add_argument("experiment", nargs="+", help=f"one or more of {', '.join(EXPERIMENTS)}, or all")
    parser.add_argument("--size", default="laptop", help=f"one of {', '.join(SIZES)}; default laptop (minutes)")
    parser.add_argument("--device", help="such as cuda; default: a GPU where there is one")
    parser.add_argument("--out", type=Path, default=Path("book/results"), help="folder for the .npz files")
    options = parser.parse_args(arguments)
    names = list(EXPERIMENTS) if options.experiment == ["all"] else options.experiment
    try:
        device = best_device() if options.device is None else torch.device(options.device)
        runs = [(name, settings(name, options.size)) for name in names]
    except (NTKError, RuntimeError) as fault:
        print(fault, file=sys.stderr)
        return 2
    for name, arguments_ in runs:
        print(f"{name} at size {options.size} on {device} …", flush=True)
        result = measured(name, EXPERIMENTS[name], arguments_, device)
        path = options.out / f"{name}_{options.size}.npz"
        result.save(path)
        print(f"  {result.provenance['seconds']} s, saved in {path}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
