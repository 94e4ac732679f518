"""Layers: each file pairs a finite module with a rule of the infinite-width limit."""

from ntk_teach.layers.convolution import Conv2d as Conv2d
from ntk_teach.layers.dense import Dense as Dense
from ntk_teach.layers.graph import Aggregate as Aggregate
from ntk_teach.layers.graph import GraphSum as GraphSum
from ntk_teach.layers.graph import JumpingKnowledge as JumpingKnowledge
from ntk_teach.layers.layer import Layer as Layer
from ntk_teach.layers.pool import AvgPool as AvgPool
from ntk_teach.layers.pool import Flatten as Flatten
from ntk_teach.layers.pool import GlobalAvgPool as GlobalAvgPool
from ntk_teach.layers.recurrent import AverageSteps as AverageSteps
from ntk_teach.layers.recurrent import LastStep as LastStep
from ntk_teach.layers.recurrent import Recurrent as Recurrent
from ntk_teach.layers.residual import Residual as Residual

__all__ = [
    "Layer",
    "Dense",
    "Residual",
    "Conv2d",
    "AvgPool",
    "GlobalAvgPool",
    "Flatten",
    "Recurrent",
    "LastStep",
    "AverageSteps",
    "Aggregate",
    "GraphSum",
    "JumpingKnowledge",
]
