"""What the notebook says in each convention: formulas and words for its text, right-hand sides for its code.

Keys are the notebook's markers. In LaTeX, ℓ counts weight layers from 0 at the input.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CODE", "TEXT"]

NOT_THE_BOOKS = "**This is not the convention of the book's own exercise**, whose answers are wrong here."

TEXT: Mapping[str, Mapping[str, str]] = {
    "book": {
        "source": "Jacot, Gabriel & Hongler 2018, section 2",
        "network": r"\tilde\alpha^{(\ell+1)} = \tfrac{1}{\sqrt{n_\ell}}\, W^{(\ell)}\alpha^{(\ell)} "
        r"+ \beta\, b^{(\ell)}",
        "last": "L",
        "factor": "**without** a factor 2.",
        "depth": "the number of *weight layers*\n(so depth 1 is linear)",
        "theorem": "Jacot, Gabriel & Hongler 2018, Proposition 1 and Theorem 1",
        "first_covariance": r"\tfrac{1}{n_0} x\cdot x'",
        "twice": "",
        "dual": "",
        "scale": r"\tfrac{1}{\sqrt{n_\ell}}",
        "sum": r"\sum_{\ell=0}^{L-1} \Big(\tfrac{1}{n_\ell}\,\alpha^{(\ell)}\cdot\alpha'^{(\ell)} + \beta^2\Big)\,"
        "\n"
        r"\delta^{(\ell+1)}\cdot\delta'^{(\ell+1)}",
        "spread": "variance",
        "power_law": "it has a\nvariance, which falls like a power of the width; Jacot, Gabriel & Hongler 2018 "
        "(section 6.1) show it as the spread\nof the curves in Figure 1",
        "spread_formula": r"\text{variance}",
        "layers": "depth",
    },
    "arora": {
        "source": "Arora, Du, Hu, Li, Salakhutdinov & Wang 2019, section 3; the biases are Jacot's",
        "network": r"\tilde\alpha^{(1)} = W^{(0)} x + \beta\, b^{(0)},\qquad "
        r"\tilde\alpha^{(\ell+1)} = \sqrt{\tfrac{2}{n_\ell}}\, W^{(\ell)}\alpha^{(\ell)} + \beta\, b^{(\ell)}"
        r"\ (\ell \ge 1)",
        "last": "L+1",
        "factor": "and the factor $\\sqrt{2/n_\\ell}$ stands **behind every activation**; the first layer has\n"
        "**neither a 2 nor a $1/\\sqrt{n_0}$**. " + NOT_THE_BOOKS,
        "depth": "the number of *hidden layers*\n(so depth 0 is linear, and there are $L+1$ weight layers)",
        "theorem": "Arora et al. 2019, section 3, where $\\Sigma$ has the index of the hidden layers, one less",
        "first_covariance": r"x\cdot x'",
        "twice": r"2\,",
        "dual": ", both **without** the factor 2",
        "scale": r"\sqrt{\tfrac{2}{n_\ell}}\,",
        "sum": r"\big(x\cdot x' + \beta^2\big)\,\delta^{(1)}\cdot\delta'^{(1)} "
        r"+ \sum_{\ell=1}^{L} \Big(\tfrac{2}{n_\ell}\,\alpha^{(\ell)}\cdot\alpha'^{(\ell)} + \beta^2\Big)\,"
        "\n"
        r"\delta^{(\ell+1)}\cdot\delta'^{(\ell+1)}",
        "spread": "standard deviation",
        "power_law": "it has a\nstandard deviation, which falls like a power of the width; Theorem 3.1 of Arora et al. "
        "2019 bounds the distance to\nthe limit itself, not its square",
        "spread_formula": r"\text{standard deviation}",
        "layers": "depth + 1",
    },
    "he": {
        "source": "the variance 2 of He, Zhang, Ren & Sun 2015, section 2.2, as a scale in front of the weights",
        "network": r"\tilde\alpha^{(\ell+1)} = \sqrt{\tfrac{2}{n_\ell}}\, W^{(\ell)}\alpha^{(\ell)} "
        r"+ \beta\, b^{(\ell)}",
        "last": "L",
        "factor": "and the factor $\\sqrt{2/n_\\ell}$ stands in **every** layer, also in the first and in\nthe last. "
        + NOT_THE_BOOKS,
        "depth": "the number of *weight layers*\n(so depth 1 is linear)",
        "theorem": "Jacot, Gabriel & Hongler 2018, Proposition 1 and Theorem 1, with this factor",
        "first_covariance": r"\tfrac{2}{n_0} x\cdot x'",
        "twice": r"2\,",
        "dual": ", both **without** the factor 2",
        "scale": r"\sqrt{\tfrac{2}{n_\ell}}\,",
        "sum": r"\sum_{\ell=0}^{L-1} \Big(\tfrac{2}{n_\ell}\,\alpha^{(\ell)}\cdot\alpha'^{(\ell)} + \beta^2\Big)\,"
        "\n"
        r"\delta^{(\ell+1)}\cdot\delta'^{(\ell+1)}",
        "spread": "variance divided by the square of the mean",
        "power_law": "it has a\nvariance and a mean; the variance divided by the square of the mean, a number without "
        "a scale, falls like a power of\nthe width (Hanin & Nica 2020 study it for this initialization)",
        "spread_formula": r"\text{variance} / \text{mean}^2",
        "layers": "depth",
    },
}

CODE: Mapping[str, Mapping[str, str]] = {
    "book": {
        "first_variance": "1 / x.shape[1]",
        "hidden_variance": "1",
        "weight_layers": "depth",
        "depth_without_hidden_layers": "1",
        "variances": "[1 / weight.shape[1] for weight in weights]",
        "spread": "samples.var(dim=1)",
        "spread_power": "-2",
        "three_layers": "ntk.zoo.mlp(3)",
    },
    "arora": {
        "first_variance": "1",
        "hidden_variance": "2",
        "weight_layers": "depth + 1",
        "depth_without_hidden_layers": "0",
        "variances": "[2 / weight.shape[1] if layer else 1 for layer, weight in enumerate(weights)]",
        "spread": "samples.std(dim=1)",
        "spread_power": "-1",
        "three_layers": "ntk.zoo.mlp(3, sigma_w=2**0.5)  # on the circle n₀ = 2, so the first scale is √2/√n₀ = 1",
    },
    "he": {
        "first_variance": "2 / x.shape[1]",
        "hidden_variance": "2",
        "weight_layers": "depth",
        "depth_without_hidden_layers": "1",
        "variances": "[2 / weight.shape[1] for weight in weights]",
        "spread": "samples.var(dim=1) / samples.mean(dim=1) ** 2",
        "spread_power": "-2",
        "three_layers": "ntk.zoo.mlp(3, sigma_w=2**0.5)",
    },
}
