"""Layers: each file pairs a finite module with a rule of the infinite-width limit."""

from ntk_teach.layers.dense import Dense as Dense
from ntk_teach.layers.layer import Layer as Layer
from ntk_teach.layers.residual import Residual as Residual

__all__ = ["Layer", "Dense", "Residual"]
