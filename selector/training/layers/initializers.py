"""Initial weights drawn by NumPy: the standard distributions, without compiling anything.

On JAX, Keras's own initialisers compile a program for each shape of weight,
0.2 to 0.8 s each (an orthogonal one up to 2 s): more than training takes on
small data. The distributions here are the same, the generator is another.
:func:`selector.training.layers.with_standard_layers` puts the standard ones in
the configuration of a saved model.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

Shape = tuple[int, ...]


def fans(shape: Shape) -> tuple[int, int]:
    """Return the number of inputs and outputs of a unit with weights of `shape`."""
    field = int(np.prod(shape[:-2], dtype=int))
    return int(shape[-2]) * field, int(shape[-1]) * field


@keras.saving.register_keras_serializable(package="selector")
class GlorotUniform(keras.initializers.GlorotUniform):  # type: ignore[misc]
    """Uniform within ``sqrt(6 / (fan_in + fan_out))``, drawn by NumPy.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", AISTATS 2010.
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        """Return initial weights of the given shape."""
        limit = np.sqrt(6.0 / max(sum(fans(shape)), 1))
        values = np.random.default_rng(self.seed).uniform(-limit, limit, size=shape)
        return ops.convert_to_tensor(values.astype("float32"), dtype=dtype)


@keras.saving.register_keras_serializable(package="selector")
class LecunNormal(keras.initializers.LecunNormal):  # type: ignore[misc]
    """Normal with variance ``1 / fan_in``, cut at two deviations, drawn by NumPy.

    References
    ----------
    LeCun et al., "Efficient BackProp", 1998.
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        """Return initial weights of the given shape."""
        rng = np.random.default_rng(self.seed)
        values = rng.normal(size=shape)
        while (beyond := np.abs(values) > 2).any():
            values[beyond] = rng.normal(size=int(beyond.sum()))
        # 0.8796 is the deviation of a standard normal that is cut at 2.
        values *= np.sqrt(1.0 / max(fans(shape)[0], 1)) / 0.87962566103423978
        return ops.convert_to_tensor(values.astype("float32"), dtype=dtype)


@keras.saving.register_keras_serializable(package="selector")
class Orthogonal(keras.initializers.Orthogonal):  # type: ignore[misc]
    """A random matrix with orthonormal rows or columns, drawn by NumPy.

    References
    ----------
    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", ICLR 2014.
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        """Return initial weights of the given shape."""
        rows, columns = int(np.prod(shape[:-1], dtype=int)), int(shape[-1])
        draws = np.random.default_rng(self.seed).normal(
            size=(max(rows, columns), min(rows, columns))
        )
        q, r = np.linalg.qr(draws)
        q = q * np.sign(np.diag(r))
        values = self.gain * (q if rows >= columns else q.T).reshape(shape)
        return ops.convert_to_tensor(values.astype("float32"), dtype=dtype)


STANDARD: dict[type[Any], type[Any]] = {
    GlorotUniform: keras.initializers.GlorotUniform,
    LecunNormal: keras.initializers.LecunNormal,
    Orthogonal: keras.initializers.Orthogonal,
}


def standard_initializer(initializer: Any) -> Any:
    """Return Keras's initialiser that one of these stands for; any other as it is."""
    kind = STANDARD.get(type(initializer))
    return initializer if kind is None else kind.from_config(initializer.get_config())
