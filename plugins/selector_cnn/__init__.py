"""Convolutional architectures: FCN for series, a small convnet for images, MiniRocket."""

from __future__ import annotations

from collections.abc import Iterable

from selector import hookimpl
from selector.contract import Architecture
from selector_cnn.convnet import ConvNet
from selector_cnn.fcn import FCN
from selector_cnn.minirocket import MiniRocket


@hookimpl
def selector_architectures() -> Iterable[Architecture]:
    """Return the convolutional architectures."""
    return [FCN(), ConvNet(), MiniRocket()]
