"""Hybrid architectures: convolutions find local patterns, a recurrence reads their order."""

from __future__ import annotations

from collections.abc import Iterable

from selector import hookimpl
from selector.contract import Architecture
from selector_hybrid.conv_gru import ConvGRU
from selector_hybrid.convlstm import ConvLSTM
from selector_hybrid.crnn import CRNN
from selector_hybrid.deep_conv_lstm import DeepConvLSTM
from selector_hybrid.frame_gru import FrameGRU
from selector_hybrid.gru_fcn import GRUFCN


@hookimpl
def selector_architectures() -> Iterable[Architecture]:
    """Return the hybrid architectures."""
    return [ConvGRU(), GRUFCN(), DeepConvLSTM(), CRNN(), FrameGRU(), ConvLSTM()]
