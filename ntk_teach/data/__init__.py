"""Inputs and targets that the chapters use."""

from ntk_teach.data.cifar import cifar10_files as cifar10_files
from ntk_teach.data.cifar import cifar100_files as cifar100_files
from ntk_teach.data.digits import digits as digits
from ntk_teach.data.idx import mnist_files as mnist_files
from ntk_teach.data.mnist import mnist as mnist
from ntk_teach.data.mutag import mutag as mutag
from ntk_teach.data.mutag import tu_graphs as tu_graphs
from ntk_teach.data.plane import circle as circle
from ntk_teach.data.plane import gaussian as gaussian
from ntk_teach.data.sphere import sphere as sphere
from ntk_teach.data.synthetic import parity as parity
from ntk_teach.data.synthetic import single_index as single_index
from ntk_teach.data.targets import centered_one_hot as centered_one_hot
from ntk_teach.data.targets import two_classes as two_classes
from ntk_teach.data.time_series import time_series as time_series

__all__ = [
    "circle",
    "gaussian",
    "sphere",
    "parity",
    "single_index",
    "digits",
    "mnist",
    "mnist_files",
    "cifar10_files",
    "cifar100_files",
    "time_series",
    "mutag",
    "tu_graphs",
    "two_classes",
    "centered_one_hot",
]
