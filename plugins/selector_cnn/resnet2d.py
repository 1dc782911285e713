"""``cnn.resnet2d``: a small residual network for images."""

from __future__ import annotations

from typing import Any

from selector.contract import Inputs, Params, Profile
from selector_cnn.images import ImageNetwork, halved, shrunk


class ResNet2D(ImageNetwork):
    """A stem, then three residual blocks, each with twice the filters on half the pixels.

    A block is two 3 × 3 convolutions with batch normalisation beside a
    shortcut of 1 × 1, added before the last ReLU. Halving is by max pooling, on
    both ways before the values are normalised, so that most of the work is
    done on few pixels. Images of more than 40 pixels a side are averaged down
    first.

    References
    ----------
    He, Zhang, Ren and Sun, "Deep residual learning for image recognition",
    CVPR 2016.
    """

    name = "cnn.resnet2d"
    title = "Small residual network for images"
    reason = "neighbouring pixels, through more layers than a plain network can train"
    references = ("He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016",)
    widths = (16, 24)

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, height, width, channel)``.
        Output shape
            ``(batch, 4 * width)``.
        """
        import keras

        from selector.training import layers

        x, width = shrunk(inputs.x), int(params["width"])
        x = layers.conv2d_block(x, width, pool=halved(x) if max(x.shape[1:3]) > 16 else (1, 1))
        for filters in (width, 2 * width, 4 * width):
            x = _residual(x, filters, halved(x))
        x = keras.layers.GlobalAveragePooling2D()(x)
        return layers.FastDropout(float(params["dropout"]))(x)


def _residual(x: Any, filters: int, pool: tuple[int, int]) -> Any:
    """Return two convolutions beside a shortcut, pooled by the first."""
    import keras

    from selector.training import layers

    def convolution(y: Any, kernel: int) -> Any:
        return layers.FastConv2D(
            filters,
            kernel,
            padding="same",
            use_bias=False,
        )(y)

    def normalised(y: Any) -> Any:
        return layers.OnePassBatchNormalization(momentum=0.9)(y)

    long = layers.conv2d_block(x, filters, pool=pool)
    long = normalised(convolution(long, 3))
    short = x if pool == (1, 1) else layers.MaxPool2DByReshape(pool)(x)
    if short.shape[-1] != filters:
        short = normalised(convolution(short, 1))
    return keras.layers.ReLU()(keras.layers.Add()([long, short]))
