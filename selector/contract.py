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

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

CONTRACT_VERSION = 1

FEATURE_AXES = ("feature",)
SERIES_AXES = ("time", "channel")
IMAGE_AXES = ("height", "width", "channel")
CLIP_AXES = ("time", "height", "width", "channel")

Kind = Literal["sequential", "grid", "tabular", "sequential-grid"]

KIND_OF_AXES: dict[tuple[str, ...], Kind] = {
    FEATURE_AXES: "tabular",
    SERIES_AXES: "sequential",
    IMAGE_AXES: "grid",
    CLIP_AXES: "sequential-grid",
}

Array = npt.NDArray[Any]


# --------------------------------------------------------------------- data


@dataclass(frozen=True)
class Column:
    """One column of a table, one channel of a series, or the target.

    Parameters
    ----------
    name : str
        The column's name as written in the source.
    type : {"numeric", "categorical"}
        What its cells hold.
    levels : tuple of str
        The distinct values as written. Always given for a categorical
        column, whose cells are indices into it; given for a numeric column
        only where it has few distinct values, so that it can serve as a class
        label in its original form ("01" stays "01").
    dtype : {"string", "integer", "float", "boolean"}
        The type that a prediction of this column is given back in.
    """

    name: str
    type: Literal["numeric", "categorical"] = "numeric"
    levels: tuple[str, ...] = ()
    dtype: Literal["string", "integer", "float", "boolean"] = "float"


@dataclass(frozen=True, eq=False)
class Variable:
    """Values with named axes: the one input of a data set, or its target.

    Parameters
    ----------
    axes : tuple of str
        The axes of one sample, without the sample axis; ``()`` for a target.
    values : ndarray
        By axes:

        * ``("feature",)``: ``(n, p)`` float64; a categorical cell holds the
          index of its level; a missing cell is NaN.
        * ``("time", "channel")``: ``(n, T, C)`` float32 where all series have
          the same length and ``lengths`` is None, else ``(sum(lengths), C)``,
          the series one after the other.
        * ``("height", "width", "channel")``: ``(n, H, W, C)`` float32.
        * ``("time", "height", "width", "channel")``: ``(n, T, H, W, C)``
          float32.
        * ``()``: ``(n,)`` float64, NaN where missing; a categorical target
          holds the index of its level.
    columns : tuple of Column
        One for each feature or channel; exactly one for a target. May be
        empty for images.
    lengths : ndarray of int64, shape (n,), optional
        The number of steps of each series where they differ.
    """

    axes: tuple[str, ...]
    values: Array
    columns: tuple[Column, ...] = ()
    lengths: Array | None = None

    def __len__(self) -> int:
        return len(self.values) if self.lengths is None else len(self.lengths)

    @property
    def sample_shape(self) -> tuple[int | None, ...]:
        """Shape of one sample; None for a length that varies."""
        if self.lengths is None:
            return tuple(self.values.shape[1:])
        return (None, *self.values.shape[1:])

    def take(self, rows: Array) -> Variable:
        """Return the variable with the samples `rows` (integer positions) only."""
        rows = np.asarray(rows, dtype=np.int64)
        if self.lengths is None:
            return replace(self, values=self.values[rows])
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        parts = [self.values[starts[r] : starts[r + 1]] for r in rows]
        values = np.concatenate(parts) if parts else self.values[:0]
        return replace(self, values=values, lengths=self.lengths[rows])

    def padded(self, length: int | None = None) -> tuple[Array, Array | None]:
        """Return ``(values, mask)`` with every series padded to one length.

        Parameters
        ----------
        length : int, optional
            The common length in steps; by default that of the longest.
            Longer series are cut at the end.

        Returns
        -------
        values : ndarray, shape (n, *sample)
            Padded with zeros at the end; `values` itself where nothing varies.
        mask : ndarray of bool, shape (n, length), or None
            True on real steps; None where all samples have one shape.
        """
        if self.lengths is None:
            return self.values, None
        steps = int(length or max(int(self.lengths.max(initial=1)), 1))
        n = len(self.lengths)
        out = np.zeros((n, steps, *self.values.shape[1:]), dtype=self.values.dtype)
        kept = np.minimum(self.lengths, steps)
        mask = np.arange(steps)[None, :] < kept[:, None]
        start = 0
        for i, (full, keep) in enumerate(zip(self.lengths, kept, strict=True)):
            out[i, :keep] = self.values[start : start + keep]
            start += int(full)
        return out, mask


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a reader makes of a source.

    Parameters
    ----------
    name : str
        Short name, for titles and folder names.
    inputs : mapping of str to Variable
        The inputs by name. Every reader of this version gives one input,
        called ``"x"``.
    target : Variable or None
        What is to be predicted. None where the source has none, and also
        where it is still a column of a table: the profile takes it out.
    ids : tuple of str
        The name of each sample where the source has one (a series id, an
        image's path), in order of first appearance; else empty.
    notes : tuple of str
        Repairs that the reader made, one sentence each; shown to the user.
    source : mapping
        How it was read: ``reader`` (name), ``path``, and where they apply
        ``target``, ``id``, ``step``, ``channels`` (column names),
        ``separator``, ``encoding``. Enough to read another file the same way.
    groups : ndarray of int, shape (n,), optional
        Samples of one group are never split apart.
    order : ndarray of float, shape (n,), optional
        Splits go forward in it: what is trained on comes before what is
        validated on.
    aside : Variable or None
        The column that ``ReadOptions.aside`` names, a value for each sample,
        where the source has it beside the input and not in it (series in long
        form).
    """

    name: str
    inputs: Mapping[str, Variable]
    target: Variable | None = None
    ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)
    groups: Array | None = None
    order: Array | None = None
    aside: Variable | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def x(self) -> Variable:
        """The one input."""
        return next(iter(self.inputs.values()))

    def take(self, rows: Array) -> Dataset:
        """Return the data set with the samples `rows` only."""
        rows = np.asarray(rows, dtype=np.int64)
        return replace(
            self,
            inputs={k: v.take(rows) for k, v in self.inputs.items()},
            target=None if self.target is None else self.target.take(rows),
            ids=tuple(self.ids[int(r)] for r in rows) if self.ids else (),
            groups=None if self.groups is None else self.groups[rows],
            order=None if self.order is None else self.order[rows],
            aside=None if self.aside is None else self.aside.take(rows),
        )


@dataclass(frozen=True)
class ReadOptions:
    """What the user said about a source; None where nothing was said."""

    target: str | None = None
    id: str | None = None
    step: str | None = None
    expect: Mapping[str, Any] | None = None
    """The ``source`` of the data set a model was trained on, when a file is
    read for prediction: the file may then lack its target."""
    aside: str | None = None
    """A column that is no input: groups, or an order."""


class Reader(ABC):
    """Turns one form of source into a :class:`Dataset`."""

    name: ClassVar[str]
    extensions: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def matches(self, source: Any) -> bool:
        """Say, from the name, the type or the first bytes, whether this reader applies."""

    @abstractmethod
    def read(self, source: Any, options: ReadOptions) -> Dataset:
        """Read the whole source.

        Raises
        ------
        selector.errors.DataError
            Where the source cannot be read; the message says what to try.
        """


# ------------------------------------------------------------------ profile


@dataclass(frozen=True)
class Decision:
    """One choice of the profile: its value, how sure, why, and how to override it."""

    value: Any
    confidence: float
    reason: str
    option: str


@dataclass(frozen=True)
class Profile:
    """What is known about a data set before any model is tried.

    Plugins see this and nothing else of the data. All fields are plain JSON
    values, so that a profile travels to workers and into the run folder.

    Parameters
    ----------
    name : str
        The data set's name.
    axes, kind, task, target : see `decisions`
        Axes of one sample, kind of data, ``"classification"`` or
        ``"regression"``, and the target's name.
    n : int
        Number of samples that may be used for training and choice (the test
        part is not counted).
    shape : tuple of int or None
        Shape of one sample; None for the time axis where lengths vary.
    lengths : tuple of int
        Minimum, median and maximum number of steps; empty without a time axis.
    n_outputs : int
        Number of classes, or 1 for regression.
    classes : tuple of str
        The class labels as written, in the order of the model's outputs.
    counts : tuple of int
        Number of samples of each class.
    columns : tuple of Column
        The columns or channels.
    missing : float
        Share of the values that are missing.
    signals : mapping of str to float
        Measured signals, such as the neighbour correlation along each axis
        and its permuted null.
    decisions : mapping of str to Decision
        For ``axes``, ``kind``, ``task``, ``target``.
    warnings : tuple of str
        What the user should know about the data.
    metric : str
        By which trials are scored; empty for the task's usual one.
    """

    name: str
    axes: tuple[str, ...]
    kind: str
    task: str
    target: str
    n: int
    shape: tuple[int | None, ...]
    lengths: tuple[int, ...] = ()
    n_outputs: int = 1
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    columns: tuple[Column, ...] = ()
    missing: float = 0.0
    signals: Mapping[str, float] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    metric: str = ""

    @property
    def variable_length(self) -> bool:
        """Whether samples differ in their number of steps."""
        return bool(self.shape) and self.shape[0] is None

    @property
    def steps(self) -> int:
        """Number of steps of the longest sample; 1 without a time axis."""
        return self.lengths[2] if self.lengths else 1

    @property
    def channels(self) -> int:
        """Size of the last axis (features, or channels)."""
        return int(self.shape[-1] or 1)

    @property
    def size(self) -> int:
        """Number of values in one sample (of the longest, where lengths vary)."""
        total = 1
        for extent in self.shape:
            total *= self.steps if extent is None else extent
        return total

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Profile:
        """Rebuild a profile from :meth:`to_dict` (also after a trip through JSON)."""
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known
        }
        values["columns"] = tuple(column_from_dict(c) for c in data.get("columns", ()))
        values["decisions"] = {k: Decision(**v) for k, v in data.get("decisions", {}).items()}
        return cls(**values)


def column_from_dict(data: Mapping[str, Any]) -> Column:
    """Rebuild a :class:`Column` from ``dataclasses.asdict`` or JSON."""
    return Column(**{**data, "levels": tuple(data.get("levels", ()))})


# ------------------------------------------------------------- search space


@dataclass(frozen=True)
class Int:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int
    log: bool = False
    step: int = 1


@dataclass(frozen=True)
class Float:
    """A real number from `low` to `high`."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Categorical:
    """One of a few values (None, bool, int, float or str)."""

    choices: tuple[bool | int | float | str | None, ...]


Space = Mapping[str, Int | Float | Categorical]
Params = Mapping[str, Any]


# ------------------------------------------------------------ architectures


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
        length that varies is None. A table arrives as ``(batch, p)`` with
        categories one-hot and gaps filled.
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
        return Fit(True, f"made for {profile.kind} data")

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
    ``weight_decay`` (default 1e-4), ``label_smoothing`` (default 0.05),
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
    """A scikit-learn recipe over a plain matrix."""

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


# ------------------------------------------------------------------- trials


@dataclass(frozen=True)
class TrialSpec:
    """One configuration to train and score on one split.

    Parameters
    ----------
    id : str
        Unique in the run.
    stage : {"floor", "portfolio", "search", "confirm", "final"}
        Which stage asked for it.
    architecture : str
        Its name.
    params : mapping
        A value for each name in its space.
    split : str or None
        Name of the split, None for all development data (``"final"``).
    seed : int
        Seeds weights, order of batches and dropout.
    seconds : float
        Soft limit in seconds from the start of the trial.
    epochs : int or None
        Planned epochs of a network; None lets the step loop plan them from
        the measured time of an epoch and `train_seconds`, and stop early.
    train_seconds : float or None
        Seconds for training alone, after compilation; None for what is left
        of `seconds`.
    rates : mapping or None
        What the run has learned about speed, see
        :class:`selector.training.forecast.Rates`; a network that cannot end
        in time is then not started.
    expected_seconds : float or None
        Predicted seconds of the trial where no `rates` are needed to tell.
    prune_above : mapping of str to float
        Validation losses by share of the planned epochs (``"0.25"``): a network
        whose best loss by then is higher is given up. From earlier trials on
        the same split.
    timed : bool
        Whether the clock may shape the training. Where it may not, a network
        trains the epochs that its number of steps calls for, and a deadline
        fails the trial.
    """

    id: str
    stage: str
    architecture: str
    params: Params
    split: str | None
    seed: int
    seconds: float
    epochs: int | None = None
    train_seconds: float | None = None
    rates: Mapping[str, float] | None = None
    expected_seconds: float | None = None
    prune_above: Mapping[str, float] = field(default_factory=dict)
    timed: bool = True


@dataclass(frozen=True)
class TrialResult:
    """What came of a trial.

    Parameters
    ----------
    state : {"complete", "failed"}
        Whether there is a score.
    reason : str
        Why it failed; empty otherwise.
    score : float or None
        The task's metric on the validation part (accuracy, or R²).
    loss : float or None
        Mean cross-entropy, or mean squared error over the target's variance.
    fit_seconds, seconds : float
        Seconds spent fitting, and in all (with compilation and scoring).
    compile_seconds : float
        Seconds from the start of a network's trial to its first step: scaling
        the data, building, tracing, compiling.
    compiled : bool
        Whether the step was new to the worker.
    predicted_seconds : float or None
        What `seconds` were expected to be before the trial was started; None
        before there was anything to learn from.
    epochs, best_epoch, planned_epochs : int
        Epochs trained, the one whose weights were scored, and those that the
        schedule was made for; 0 for models without epochs.
    epoch_seconds : float
        Median seconds of an epoch after compilation.
    stopped : str
        Why training ended: ``"planned"``, ``"early"`` (no improvement over
        the patience), ``"pruned"`` (worse than earlier trials on the same
        split), ``"deadline"``, or ``""``.
    improving : bool
        Whether the validation loss was still falling when training ended.
    rungs : mapping of str to float
        Best validation loss by shares of the planned epochs.
    n_train : int
        Number of rows trained on.
    params_count, bytes, macs : int
        Parameters, size in bytes (float32 weights or serialised estimator) and
        multiply-adds of one prediction (0 where unknown).
    latency_ms : float
        Median milliseconds to predict one sample (0 where not measured).
    predictions : str or None
        File, in the run folder, with the validation predictions: class
        probabilities ``(n, k)`` or values ``(n,)``, in the order of the split's
        validation rows.
    """

    state: str
    reason: str = ""
    score: float | None = None
    loss: float | None = None
    fit_seconds: float = 0.0
    seconds: float = 0.0
    epochs: int = 0
    best_epoch: int = 0
    epoch_seconds: float = 0.0
    stopped: str = ""
    improving: bool = False
    n_train: int = 0
    params_count: int = 0
    bytes: int = 0
    macs: int = 0
    latency_ms: float = 0.0
    predictions: str | None = None
    compile_seconds: float = 0.0
    compiled: bool = False
    predicted_seconds: float | None = None
    planned_epochs: int = 0
    rungs: Mapping[str, float] = field(default_factory=dict)
