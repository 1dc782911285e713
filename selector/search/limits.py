"""What a model may cost to be recommended at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from selector.contract import TrialResult
from selector.errors import OptionError

_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1000, "kib": 1024, "m": 1000**2, "mb": 1000**2,
          "mib": 1024**2, "g": 1000**3, "gb": 1000**3, "gib": 1024**3}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """Upper bounds; None where there is none.

    Parameters
    ----------
    latency_ms : float or None
        Milliseconds of one prediction, as measured.
    bytes : int or None
        Size of the model.
    params_count : int or None
        Number of its parameters.
    """

    latency_ms: float | None = None
    bytes: int | None = None
    params_count: int | None = None

    def exceeded(self, result: TrialResult) -> str:
        """Return which limit a trial's model exceeds, in words; empty where none.

        What was not measured (a latency of 0) exceeds nothing.
        """
        found = (
            ("--max-latency", result.latency_ms, self.latency_ms, "ms"),
            ("--max-size", result.bytes, self.bytes, "bytes"),
            ("--max-params", result.params_count, self.params_count, "parameters"),
        )
        return "; ".join(
            f"over {option}: {value:,.4g} {unit}, {most:,.4g} allowed"
            if unit == "ms"
            else f"over {option}: {value:,} {unit}, {most:,} allowed"
            for option, value, most, unit in found
            if most is not None and value > most
        )


def parse_size(text: str | int) -> int:
    """Return the bytes that ``500000``, ``500kB``, ``2MB`` or ``1GiB`` stand for.

    Raises
    ------
    OptionError
        Where it is no size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([a-z]*)\s*", str(text).lower())
    if match is None or match[2] not in _UNITS or not float(match[1]):
        raise OptionError(
            f"--max-size is a number of bytes, or has a unit (kB, MB, GiB …); received '{text}'."
            " Try --max-size 500kB."
        )
    return round(float(match[1]) * _UNITS[match[2]])
