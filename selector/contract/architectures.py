"""What plugin authors derive from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from selector.contract.data import Array
from selector.contract.profile import Profile
from selector.contract.space import Params, Space


@dataclass(frozen=True)
class Fit:
    """Whether an architecture applies to a profile, and why."""

    admitted: bool
    reason: str


@dataclass(frozen=True)
class Inputs:
    """The symbolic Keras inputs that the core hands to ``build``.

    Parameters
    ----------
    x : keras.KerasTensor
        ``(batch, *sample)`` float32, already scaled on training data; a
        length that varies is None. A table arrives as ``(batch, p)`` with its most
        frequent categories one-hot and gaps filled.
    mask : keras.KerasTensor or None
        ``(batch, time)`` bool, True on real steps; None where all samples
        have one length.
    """

    x: Any
    mask: Any = None


class Architecture(ABC):
    """One recipe in a family, with its search space.

    Do not derive from this class itself but from one of
    :class:`NetworkArchitecture`, :class:`FeatureArchitecture` and
    :class:`EstimatorArchitecture`.

    Attributes
    ----------
    name : str
        ``"family.recipe"``, unique among all plugins.
    family : str
        What a verdict speaks about: ``"rnn"``, ``"cnn"``, ``"hybrid"``,
        ``"tabular"``, or a family of your own.
    title : str
        A few words for a reader, for example ``"Gated recurrent unit"``.
    reason : str
        Why it may suit the data that it admits, in a few words.
    kinds, tasks : tuple of str
        What it applies to.
    variable_length : bool
        Whether it honours a mask, so that padding changes nothing.
    references : tuple of str
        The papers it comes from.
    trained : bool
        True where weights are learnt by gradient descent, False for fixed
        features and closed-form or tree models.
    role : {"candidate", "baseline"}
        ``"baseline"`` marks the trivial baseline that every model must beat.
    """

    name: ClassVar[str]
    family: ClassVar[str]
    title: ClassVar[str] = ""
    reason: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ()
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")
    variable_length: ClassVar[bool] = False
    references: ClassVar[tuple[str, ...]] = ()
    trained: ClassVar[bool] = False
    role: ClassVar[str] = "candidate"

    def fit_for(self, profile: Profile) -> Fit:
        """Say whether this architecture applies to `profile`, and why.

        The default compares kind, task and variable length with the class
        attributes. Be generous: the search measures, this only excludes what
        cannot work.
        """
        if profile.kind not in self.kinds:
            return Fit(False, f"made for {' or '.join(self.kinds)} data, not {profile.kind}")
        if profile.task not in self.tasks:
            return Fit(False, f"made for {' or '.join(self.tasks)}, not {profile.task}")
        if profile.variable_length and not self.variable_length:
            return Fit(False, "needs samples of one length, and these differ")
        return Fit(True, self.reason or f"made for {profile.kind} data")

    def space(self, profile: Profile) -> Space:
        """Return the search space: parameter names to ranges.

        Some names are read by the core wherever they occur, see
        :class:`NetworkArchitecture`.
        """
        return {}

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return the configurations to try first, best guess first.

        Each gives a value for every name in :meth:`space`.
        """
        return ({},)


class NetworkArchitecture(Architecture):
    """Keras layers, trained by the core.

    The core makes the inputs, calls :meth:`build`, attaches the task's head
    (a Dense layer), compiles, trains with AdamW under a warm-up and cosine
    schedule, and scores. These parameter names, where `space` has them, are
    read by the core: ``learning_rate`` (peak, default 2e-3),
    ``weight_decay`` (default 1e-4), ``label_smoothing`` (default 0.05; none
    where the metric is ``neg_log_loss`` or ``balanced_accuracy``),
    ``batch_size`` (default ``min(n, clip(n / 8, 16, 64))``), ``normalize``
    (``"dataset"``, the default, scales each channel on training data;
    ``"sample"`` scales each sample by its own mean and deviation), ``shift``
    (training samples are moved at random by up to this share of their height
    and width, or of their steps; no default: only where a space has it).
    """

    trained: ClassVar[bool] = True

    @abstractmethod
    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features: a Keras tensor of shape ``(batch, features)``."""

    def adapt(self, model: Any, x: Array, mask: Array | None) -> None:
        """Set what comes from training data before training starts.

        Parameters
        ----------
        model : keras.Model
            From the inputs to the features.
        x : ndarray, shape (n, *sample)
            Training samples only, scaled as in :class:`Inputs`.
        mask : ndarray of bool, shape (n, time), or None
            True on real steps.
        """
        return None


class FeatureArchitecture(Architecture):
    """Fixed features with a linear head that the core solves in closed form.

    The result is one Keras model: your layers, then a Dense layer.
    """

    @abstractmethod
    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features: a Keras tensor of shape ``(batch, features)``."""

    def adapt(self, model: Any, x: Array, mask: Array | None) -> None:
        """Set what comes from training data, as in :meth:`NetworkArchitecture.adapt`."""
        return None


class EstimatorArchitecture(Architecture):
    """A scikit-learn recipe over a plain matrix.

    It is saved without pickle, so it may be made of scikit-learn's estimators and
    of classes of packages that have an entry point in the group ``selector``: a
    transformer of your own is a class at the top level of a module of your
    plugin. Functions, lambdas and classes of other packages are refused: a trial
    of a recipe that holds them fails and says which.
    """

    @abstractmethod
    def build(self, params: Params, profile: Profile) -> Any:
        """Return an unfitted scikit-learn estimator.

        It is fitted on a float64 matrix ``(n, p)``: for a table its columns,
        where a categorical cell is the index of its level (see
        ``profile.columns``) and a gap is NaN; for series and images all values
        of a sample in C order. The target is class indices or real numbers.
        A classifier must offer ``predict_proba``.
        """


@dataclass(frozen=True)
class Candidate:
    """An architecture matched to a profile: admitted or refused, and why."""

    name: str
    family: str
    title: str
    plugin: str
    trained: bool
    type: Literal["network", "feature", "estimator"]
    role: str
    admitted: bool
    reason: str
    space: Space = field(default_factory=dict)
    portfolio: tuple[Params, ...] = ()
    variable_length: bool = False
    references: tuple[str, ...] = ()
