"""The nouns of selector and the classes that plugin authors implement.

Importing this module is cheap: it needs NumPy and the standard library, never
Keras, scikit-learn or Optuna. Data goes one way through the nouns::

    Dataset -> Profile -> Candidate -> TrialResult -> Verdict -> Recommendation

A plugin registers :class:`Architecture` objects (through
:func:`selector.hookspecs.selector_architectures`); everything that an
architecture can do is a method of the object, and all of them run in worker
processes, never in the driver.
"""

from __future__ import annotations

from selector.contract.architectures import (
    Architecture,
    Candidate,
    EstimatorArchitecture,
    FeatureArchitecture,
    Fit,
    Inputs,
    NetworkArchitecture,
)
from selector.contract.data import (
    CLIP_AXES,
    FEATURE_AXES,
    IMAGE_AXES,
    KIND_OF_AXES,
    SERIES_AXES,
    Array,
    Column,
    Dataset,
    Kind,
    Reader,
    ReadOptions,
    Variable,
)
from selector.contract.profile import Decision, Profile, column_from_dict
from selector.contract.space import (
    CORE_PARAMS,
    Categorical,
    Float,
    Int,
    Params,
    Range,
    Space,
    core_params,
    core_space,
    smooths_labels,
)
from selector.contract.trials import TrialResult, TrialSpec

CONTRACT_VERSION = 1

__all__ = [
    "CLIP_AXES",
    "CONTRACT_VERSION",
    "CORE_PARAMS",
    "FEATURE_AXES",
    "IMAGE_AXES",
    "KIND_OF_AXES",
    "SERIES_AXES",
    "Architecture",
    "Array",
    "Candidate",
    "Categorical",
    "Column",
    "Dataset",
    "Decision",
    "EstimatorArchitecture",
    "FeatureArchitecture",
    "Fit",
    "Float",
    "Inputs",
    "Int",
    "Kind",
    "NetworkArchitecture",
    "Params",
    "Profile",
    "Range",
    "ReadOptions",
    "Reader",
    "Space",
    "TrialResult",
    "TrialSpec",
    "Variable",
    "column_from_dict",
    "core_params",
    "core_space",
    "smooths_labels",
]
