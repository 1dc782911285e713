"""A Keras layer of one's own: the cell of an echo state network.

What a layer needs so that a saved model loads again, in another process:

* ``register_keras_serializable`` with the name of your package;
* ``get_config`` with every argument of ``__init__``;
* all that its output depends on in ``add_weight`` or in the configuration.

Only operations of ``keras.ops`` and standard layers are used, so that it runs
on every backend.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

GROUPS = 4
BIAS_SCALE = 0.2

Floats = npt.NDArray[np.float64]


@keras.saving.register_keras_serializable(package="selector_rnn")
class EchoStateCell(keras.layers.Layer):  # type: ignore[misc]
    """One step of a leaky echo state network with fixed random weights.

    The units form four groups that are not connected with each other and
    forget at different speeds: from no memory beyond the recurrence (leak 1)
    to a slow average (leak `slowest`). Use it in :class:`keras.layers.RNN`.

    Parameters
    ----------
    units : int
        Number of units.
    spectral_radius : float
        Largest absolute eigenvalue of each group's recurrent weights. Around 1
        the state echoes its inputs for long.
    input_scale : float
        Standard deviation of a unit's input, for inputs of deviation 1.
    slowest : float
        Leak rate of the slowest group, above 0 and at most 1.
    seed : int
        Draws the weights.

    References
    ----------
    Jaeger, Lukosevicius, Popovici and Siewert, "Optimization and applications
    of echo state networks with leaky-integrator neurons", Neural Networks 20
    (2007).
    """

    def __init__(
        self,
        units: int,
        spectral_radius: float = 0.9,
        input_scale: float = 0.5,
        slowest: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("trainable", False)
        super().__init__(**kwargs)
        self.units = units
        self.spectral_radius = spectral_radius
        self.input_scale = input_scale
        self.slowest = slowest
        self.seed = seed
        # What keras.layers.RNN asks of a cell.
        self.state_size = units
        self.output_size = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Draw the weights; none of them is trainable, all of them are saved."""
        channels = int(input_shape[-1] or 1)
        rng = np.random.default_rng(self.seed)
        kernel = rng.normal(size=(channels, self.units)) * self.input_scale / np.sqrt(channels)
        recurrent, leak = self._groups(rng)
        bias = rng.uniform(-BIAS_SCALE, BIAS_SCALE, size=self.units)
        self.kernel = self._fixed("kernel", kernel)
        self.recurrent = self._fixed("recurrent", recurrent)
        self.leak = self._fixed("leak", leak)
        self.bias = self._fixed("bias", bias)
        super().build(input_shape)

    def _fixed(self, name: str, values: Floats) -> Any:
        """Return a weight that holds `values` and is never trained."""
        weight = self.add_weight(
            name=name, shape=values.shape, initializer="zeros", trainable=False
        )
        weight.assign(values.astype("float32"))
        return weight

    def _groups(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return the block-diagonal recurrent weights and each unit's leak rate."""
        recurrent = np.zeros((self.units, self.units))
        leak = np.ones(self.units)
        members = np.array_split(np.arange(self.units), GROUPS)
        rates = np.geomspace(1.0, self.slowest, GROUPS)
        for group, rate in zip(members, rates, strict=True):
            weights = rng.normal(size=(len(group), len(group)))
            radius = np.abs(np.linalg.eigvals(weights)).max(initial=1e-12)
            recurrent[np.ix_(group, group)] = weights * self.spectral_radius / radius
            leak[group] = rate
        return recurrent, leak

    def call(self, inputs: Any, states: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Return the new state, once as the output and once as the state."""
        state = states[0]
        driven = ops.matmul(inputs, self.kernel) + ops.matmul(state, self.recurrent) + self.bias
        state = (1 - self.leak) * state + self.leak * ops.tanh(driven)
        return state, [state]

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the cell can be rebuilt."""
        names = ("units", "spectral_radius", "input_scale", "slowest", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
