"""Convolutional architectures for series, images and clips, trained and with fixed kernels."""

from __future__ import annotations

from collections.abc import Iterable

from selector import hookimpl
from selector.contract import Architecture
from selector_cnn.conv3d import Conv3D
from selector_cnn.convnet import ConvNet
from selector_cnn.fcn import FCN
from selector_cnn.inception import Inception
from selector_cnn.lite import LITE
from selector_cnn.minirocket import MiniRocket
from selector_cnn.resnet import ResNet
from selector_cnn.resnet2d import ResNet2D
from selector_cnn.separable import Separable
from selector_cnn.separable2d import Separable2D
from selector_cnn.tcn import TCN


@hookimpl
def selector_architectures() -> Iterable[Architecture]:
    """Return the convolutional architectures."""
    return [
        FCN(),
        ResNet(),
        Inception(),
        LITE(),
        TCN(),
        Separable(),
        ResNet2D(),
        ConvNet(),
        Separable2D(),
        Conv3D(),
        MiniRocket(),
    ]
