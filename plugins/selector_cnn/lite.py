"""``cnn.lite``: few parameters, some of them fixed: the light inception network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from selector.contract import (
    Categorical,
    Inputs,
    NetworkArchitecture,
    Params,
    Profile,
    Space,
    core_params,
    core_space,
)
from selector_cnn.fcn import strides
from selector_cnn.inception import wide_kernels

TRENDS = (2, 4, 8, 16, 32, 64)
PEAKS = (6, 12, 24, 48, 96)


class LITE(NetworkArchitecture):
    """Three wide convolutions beside fixed ones, then two separable convolutions.

    Learnt kernels of 40, 20 and 10 steps stand beside fixed ones that answer to
    rises, falls and peaks of several lengths. Depthwise separable, dilated
    convolutions follow, and the mean over time: some 10,000 weights, a
    fiftieth of those of an inception network.

    References
    ----------
    Ismail-Fawaz et al., "LITE: light inception with boosting techniques for
    time series classification", DSAA 2023.
    """

    name = "cnn.lite"
    family = "cnn"
    title = "Light inception network (LITE)"
    reason = "wide kernels with few weights, which little data can train"
    kinds = ("sequential",)
    variable_length = True
    references = (
        "Ismail-Fawaz et al.: LITE, light inception with boosting techniques for time series "
        "classification, DSAA 2023",
    )

    def space(self, profile: Profile) -> Space:
        """Width and stride are structural; the rest is cheap to vary."""
        return {
            "width": Categorical((16, 32)),
            "stride": Categorical(strides(profile.steps)),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return the published network."""
        return (
            {
                "width": 32,
                "stride": strides(profile.steps)[0],
                **core_params(profile, 3e-3),
            },
        )

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary.
        Output shape
            ``(batch, width)``.
        """
        import keras

        from selector.training import layers

        width, stride = int(params["width"]), int(params["stride"])
        x, mask = inputs.x, inputs.mask
        if mask is not None:
            x = layers.ApplyMask()(x, mask=mask)
        kernels = wide_kernels(profile.steps)
        branches = [_convolution(x, width, kernel, stride)[0] for kernel in kernels]
        table = fixed_kernels(profile.steps)
        answers, fixed = _convolution(
            x, table.shape[1], len(table), stride, kernel_initializer="zeros", trainable=False
        )
        fixed.kernel.assign(np.repeat(table[:, None], x.shape[-1], axis=1))
        branches.append(keras.layers.ReLU()(answers))
        if mask is not None and stride > 1:
            mask = layers.SubsampleMask(stride)(mask)
        x = layers.normalized(keras.layers.Concatenate()(branches), mask)
        for kernel, dilation in ((kernels[1], 2), (kernels[2], 4)):
            x, _ = layers.separable_block(x, mask, width, kernel, dilation=dilation)
        return layers.pool(x, mask, "mean")


def _convolution(x: Any, filters: int, kernel: int, stride: int, **more: Any) -> tuple[Any, Any]:
    """Return a convolution of `x`, centred whatever the padding, and its layer."""
    import keras

    from selector.training import layers

    if kernel > 1:
        x = keras.layers.ZeroPadding1D(((kernel - 1) // 2, kernel // 2))(x)
    layer = layers.FastConv1D(filters, kernel, strides=stride, use_bias=False, **more)
    return layer(x), layer


def fixed_kernels(steps: int) -> npt.NDArray[np.float32]:
    """Return the kernels that are not trained, those that fit into half a series.

    For each length in 2, 4, ..., 64 one that answers to rises and one to falls
    (weights of -1 and 1 in turn, the last one 1 or -1), and for each in 6, 12,
    ..., 96 one that answers to peaks: a bump between two half as high and upside
    down, each rising with the square of the step and falling likewise. All are
    centred in a kernel of the longest length.

    Returns
    -------
    ndarray, shape (length, filters)
    """
    most = max(steps // 2, TRENDS[0])
    kernels = []
    for length in (n for n in TRENDS if n <= most):
        rise = np.where(np.arange(length) % 2 == 0, -1.0, 1.0)
        kernels += [rise, -rise]
    for length in (n for n in PEAKS if n <= most):
        side = np.square(np.linspace(0, 1, length // 6 + 1)[1:])
        bump = np.concatenate([side, side[::-1]])
        kernels.append(np.concatenate([-bump, 2 * bump, -bump]))
    longest = max(len(kernel) for kernel in kernels)
    table = np.zeros((longest, len(kernels)), dtype=np.float32)
    for column, kernel in enumerate(kernels):
        start = (longest - len(kernel)) // 2
        table[start : start + len(kernel), column] = kernel
    return table
