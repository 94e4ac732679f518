"""Neural collapse: how far features and kernel of a trained classifier have taken the shape of its classes.

``block_kernel`` and ``block_distance`` look at a kernel matrix, ``block_rates`` at what follows from its blocks,
``collapse`` at the features of the last layer. The alignment of a kernel with the labels is ``ntk.alignment``.
"""

from ntk_teach.neural_collapse.blocks import BlockKernel as BlockKernel
from ntk_teach.neural_collapse.blocks import BlockRates as BlockRates
from ntk_teach.neural_collapse.blocks import block_distance as block_distance
from ntk_teach.neural_collapse.blocks import block_kernel as block_kernel
from ntk_teach.neural_collapse.blocks import block_rates as block_rates
from ntk_teach.neural_collapse.features import Collapse as Collapse
from ntk_teach.neural_collapse.features import collapse as collapse

__all__ = ["BlockKernel", "BlockRates", "Collapse", "block_kernel", "block_distance", "block_rates", "collapse"]
