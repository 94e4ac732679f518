"""Inputs and targets that the chapters use."""

from ntk_teach.data.mnist import mnist as mnist
from ntk_teach.data.plane import circle as circle
from ntk_teach.data.plane import gaussian as gaussian

__all__ = ["circle", "gaussian", "mnist"]
