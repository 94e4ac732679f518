"""neural-tangents 0.6.5 on jax 0.4.30, jitted where its documentation jits; a call ends when the numbers are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax._src.source_info_util
import numpy as np

# The wheel was made for an older jax, in which these two names stood here; structured derivatives need them.
jax.interpreters.ad.source_info_util = jax._src.source_info_util
jax.interpreters.ad.config = jax.config

import jax.numpy as jnp  # noqa: E402
import jaxlib  # noqa: E402
import neural_tangents as nt  # noqa: E402
from neural_tangents import stax  # noqa: E402

from benchmarks import inputs  # noqa: E402

SIGMA_B = 0.1
Result = dict[str, Any]


def as_numpy(array: Any) -> np.ndarray:
    return np.asarray(array)


def versions() -> dict[str, str]:
    return {
        "neural-tangents": nt.__version__,
        "jax": jax.__version__,
        "jaxlib": jaxlib.__version__,
        "numpy": np.__version__,
    }


def _arrays(dtype: str, *arrays: np.ndarray) -> list[jax.Array]:
    """On the device. Double precision is switched on only where it is asked for, so that none creeps into float32."""
    jax.config.update("jax_enable_x64", dtype == "float64")
    return [jnp.asarray(a) for a in arrays]


def _activation(name: str, numerical: bool) -> Any:
    if numerical:
        function = {"gelu": lambda u: jax.nn.gelu(u, approximate=False), "tanh": jnp.tanh}[name]
        return stax.ElementwiseNumerical(function, deg=25)
    return {"relu": stax.Relu, "erf": stax.Erf, "gelu": stax.Gelu}[name]()


def gram(
    *, activation: str, n: int, d: int, depth: int, dtype: str, distinct: bool = False, numerical: bool = False
) -> Callable[[], Result]:
    x1, x2 = _arrays(dtype, inputs.points(n, d, dtype), inputs.points(n, d, dtype, seed=1))
    dense = stax.Dense(1, W_std=1.0, b_std=SIGMA_B)
    phi = _activation(activation, numerical)
    _, _, kernel = stax.serial(dense, *[layer for _ in range(depth - 1) for layer in (phi, dense)])
    if distinct:
        jitted = jax.jit(lambda a, b: kernel(a, b, ("nngp", "ntk")))
        arguments = (x1, x2)
    else:
        del x2
        jitted = jax.jit(lambda a: kernel(a, None, ("nngp", "ntk")))
        arguments = (x1,)

    def call() -> Result:
        grams = jax.block_until_ready(jitted(*arguments))
        return {"nngp": grams.nngp, "ntk": grams.ntk}

    return call


def empirical(*, n: int, widths: list[int], dtype: str) -> Callable[[], Result]:
    """Implementation 3, structured derivatives: its fastest one."""
    (x,) = _arrays(dtype, inputs.points(n, widths[0], dtype))
    hidden = [layer for width in widths[1:-1] for layer in (stax.Dense(width, b_std=SIGMA_B), stax.Relu())]
    _, apply, _ = stax.serial(*hidden, stax.Dense(widths[-1], b_std=SIGMA_B))
    theta = []
    for weight, bias in inputs.parameters(widths, dtype):
        theta += [(jnp.asarray(weight.T), jnp.asarray(bias[None])), ()]
    theta.pop()  # after the last layer stands no activation
    jitted = jax.jit(nt.empirical_ntk_fn(apply, trace_axes=(), vmap_axes=0, implementation=3))
    return lambda: {"ntk": jax.block_until_ready(jitted(x, None, theta))}


def flow(*, n: int, test: int, outputs: int, times: int, dtype: str, cold: bool) -> Callable[[], Result]:
    k, k_test, y = _arrays(dtype, *inputs.regression(n, test, outputs, dtype))
    # Its cost is a mean over examples *and* outputs, hence its time runs slower by the number of outputs.
    t = jnp.asarray(inputs.times(times).astype(dtype)) * outputs

    def predicted(predict: Any) -> Result:
        return {"f": jax.block_until_ready(predict(t, None, 0.0, k_test))}

    if cold:
        return lambda: predicted(nt.predict.gradient_descent_mse(k, y))
    fitted = nt.predict.gradient_descent_mse(k, y)
    predicted(fitted)  # its eigenvectors come with the first prediction
    return lambda: predicted(fitted)


def cntk(*, n: int, side: int, depth: int, read: str, dtype: str, batch: int = 0) -> Callable[[], Result]:
    """One call of the jitted kernel, or its own serial batching of jitted blocks."""
    (x,) = _arrays(dtype, inputs.images(n, side, dtype))
    conv = stax.Conv(1, (3, 3), padding="SAME", W_std=2**0.5)
    readers = {"global": stax.GlobalAvgPool(), "flat": stax.Flatten()}
    _, _, kernel = stax.serial(
        *[layer for _ in range(depth) for layer in (conv, stax.Relu())], readers[read], stax.Dense(1)
    )
    if batch:
        batched = nt.batch(jax.jit(kernel, static_argnums=(2,)), batch_size=batch, device_count=0)
        computed = lambda: batched(x, None, ("nngp", "ntk"))  # noqa: E731
    else:
        jitted = jax.jit(lambda a: kernel(a, None, ("nngp", "ntk")))
        computed = lambda: jitted(x)  # noqa: E731

    def call() -> Result:
        grams = jax.block_until_ready(computed())
        return {"nngp": grams.nngp, "ntk": grams.ntk}

    return call


TASKS = {"cntk": cntk, "gram": gram, "empirical": empirical, "flow": flow}
