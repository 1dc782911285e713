"""Search spaces as JSON and as Optuna distributions."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from selector.contract import CORE_PARAMS, Candidate, Categorical, Float, Int, Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_RANGES: dict[str, type[Int] | type[Float] | type[Categorical]] = {
    "Int": Int,
    "Float": Float,
    "Categorical": Categorical,
}


def space_to_dict(space: Space) -> dict[str, dict[str, Any]]:
    """Return a space as plain JSON values."""
    return {name: {"type": type(r).__name__, **asdict(r)} for name, r in space.items()}


def space_from_dict(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Int | Float | Categorical]:
    """Rebuild a space from :func:`space_to_dict`."""
    space: dict[str, Int | Float | Categorical] = {}
    for name, values in data.items():
        fields: dict[str, Any] = {
            k: tuple(v) if k == "choices" else v for k, v in values.items() if k != "type"
        }
        space[name] = _RANGES[values["type"]](**fields)
    return space


def candidate_to_dict(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as plain JSON values."""
    return {**asdict(replace(candidate, space={})), "space": space_to_dict(candidate.space)}


def candidate_from_dict(data: Mapping[str, Any]) -> Candidate:
    """Rebuild a candidate from :func:`candidate_to_dict`."""
    return Candidate(
        **{
            **data,
            "space": space_from_dict(data["space"]),
            "portfolio": tuple(dict(p) for p in data["portfolio"]),
            "references": tuple(data["references"]),
        }
    )


def structural(space: Space) -> dict[str, Int | Categorical]:
    """Return the ranges that shape a compiled program: those neither real nor the core's."""
    return {
        name: r for name, r in space.items() if not isinstance(r, Float) and name not in CORE_PARAMS
    }


def drawn_structure(space: Space, seed: str) -> dict[str, Any]:
    """Return a value for each structural range of a space, drawn evenly by `seed` alone."""
    rng = random.Random(seed)
    drawn: dict[str, Any] = {}
    for name, r in structural(space).items():
        if isinstance(r, Categorical):
            drawn[name] = rng.choice(r.choices)
        elif r.log:
            drawn[name] = round(r.low * (r.high / r.low) ** rng.random())
        else:
            drawn[name] = rng.randrange(r.low, r.high + 1, r.step)
    return drawn


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return the Optuna distributions of a space."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    made: dict[str, BaseDistribution] = {}
    for name, r in space.items():
        if isinstance(r, Int):
            made[name] = IntDistribution(r.low, r.high, log=r.log, step=r.step)
        elif isinstance(r, Float):
            made[name] = FloatDistribution(r.low, r.high, log=r.log)
        else:
            made[name] = CategoricalDistribution(r.choices)
    return made
