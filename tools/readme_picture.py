"""Draw the picture of the README from real kernels, once for a light and once for a dark page.

Run from the repository's root:  python tools/readme_picture.py
"""

import io
import math
from pathlib import Path

import matplotlib.pyplot as plt
import torch

import ntk_teach as ntk
from ntk_teach import plot
from ntk_teach.plot.palette import DARK, LIGHT, css_names

arch = ntk.zoo.mlp(depth=4)
angles = torch.linspace(-math.pi, math.pi, 121, dtype=torch.float64)
points = torch.stack([angles.cos(), angles.sin()], dim=1)
x0 = points[60:61]

with plot.style():
    figure, axes = plt.subplots(1, 3, figsize=(9.2, 3.0), sharey=True, layout="constrained")
    for ax, width in zip(axes, (8, 64, 512), strict=True):
        networks = [arch.network(width=width, like=x0, seed=seed) for seed in range(10)]
        curves = torch.cat([ntk.empirical_ntk(network, x0, points) for network in networks])
        plot.kernel_on_circle(ax, angles, {width: curves}, arch.ntk(x0, points)[0])
        ax.set_ylim(0, 0.8)
        ax.label_outer()
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})

for name, theme in {"light": LIGHT, "dark": DARK}.items():
    svg = drawn.getvalue().replace(LIGHT.ink, theme.ink)
    for (_, light), (_, color) in zip(css_names(LIGHT).items(), css_names(theme).items(), strict=True):
        svg = svg.replace(light, color)
    Path(f"book/_static/readme_{name}.svg").write_text(svg)
