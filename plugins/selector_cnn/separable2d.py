"""``cnn.separable2d``: depthwise separable convolutions over images."""

from __future__ import annotations

from typing import Any

from selector.contract import Inputs, Params, Profile
from selector_cnn.images import ImageNetwork, halved, shrunk

KERNEL = 3


class Separable2D(ImageNetwork):
    """Depthwise separable convolutions with shortcuts, on ever fewer pixels.

    After an ordinary convolution each of three blocks convolves every channel by
    itself and mixes the channels by a matrix, once beside a shortcut and once
    to twice the channels, on half the pixels. Images of more than 40 pixels a side
    are averaged down first.

    References
    ----------
    Howard et al., "MobileNets: efficient convolutional neural networks for
    mobile vision applications", arXiv:1704.04861 (2017). Chollet, "Xception:
    deep learning with depthwise separable convolutions", CVPR 2017.
    """

    name = "cnn.separable2d"
    title = "Depthwise separable network for images"
    reason = "separable convolutions read neighbouring pixels with little arithmetic"
    references = (
        "Howard et al.: MobileNets, efficient convolutional neural networks for mobile vision "
        "applications, arXiv:1704.04861, 2017",
        "Chollet: Xception, deep learning with depthwise separable convolutions, CVPR 2017",
    )
    widths = (16, 32)

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, height, width, channel)``.
        Output shape
            ``(batch, 8 * width)``.
        """
        import keras

        from selector.training import layers

        x, width = shrunk(inputs.x), int(params["width"])
        x = layers.conv2d_block(x, width, pool=halved(x) if max(x.shape[1:3]) > 16 else (1, 1))
        for _ in range(3):
            beside = keras.layers.Add()([x, _separable(x, width)])
            width *= 2
            x = _separable(keras.layers.ReLU()(beside), width, pool=halved(x))
            x = keras.layers.ReLU()(x)
        x = keras.layers.GlobalAveragePooling2D()(x)
        return layers.FastDropout(float(params["dropout"]))(x)


def _separable(x: Any, filters: int, pool: tuple[int, int] = (1, 1)) -> Any:
    """Return each channel convolved, then the channels mixed, pooled and normalised."""
    from selector.training import layers

    x = layers.DepthwiseConv2DByShifts(KERNEL, padding="same", use_bias=False)(x)
    x = layers.FastConv2D(filters, 1, use_bias=False)(x)
    if pool != (1, 1):
        x = layers.MaxPool2DByReshape(pool)(x)
    return layers.OnePassBatchNormalization(momentum=0.9)(x)
