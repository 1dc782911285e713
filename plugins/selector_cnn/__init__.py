"""Convolutional architectures: FCN for series, networks for images and clips, MiniRocket."""

from __future__ import annotations

from collections.abc import Iterable

from selector import hookimpl
from selector.contract import Architecture
from selector_cnn.conv3d import Conv3D
from selector_cnn.convnet import ConvNet
from selector_cnn.fcn import FCN
from selector_cnn.minirocket import MiniRocket
from selector_cnn.resnet2d import ResNet2D


@hookimpl
def selector_architectures() -> Iterable[Architecture]:
    """Return the convolutional architectures."""
    return [FCN(), ConvNet(), ResNet2D(), Conv3D(), MiniRocket()]
