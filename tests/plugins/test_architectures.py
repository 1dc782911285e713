"""What holds for every built-in architecture: registration, spaces, building, saving."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
from forms import ARCHITECTURES, PLUGINS, PROFILES, admitted, feature_model, profile

from selector.contract import (
    IMAGE_AXES,
    SERIES_AXES,
    Categorical,
    FeatureArchitecture,
    Float,
    Int,
    NetworkArchitecture,
)

NETWORKS = (NetworkArchitecture, FeatureArchitecture)
# Keras reads weights by ``np.array(variable)``, of which NumPy 2 complains.
pytestmark = pytest.mark.usefixtures("numpy_weights")
SAVING = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
EXPECTED = {
    "rnn": {"rnn.gru", "rnn.lstm", "rnn.mingru", "rnn.reservoir"},
    "cnn": {f"cnn.{n}" for n in ("fcn", "resnet", "inception", "lite", "tcn", "separable")}
    | {"cnn.convnet", "cnn.resnet2d", "cnn.separable2d", "cnn.conv3d", "cnn.minirocket"},
    "hybrid": {f"hybrid.{n}" for n in ("conv_gru", "gru_fcn", "deepconvlstm")}
    | {f"hybrid.{n}" for n in ("crnn", "frame_gru", "convlstm")},
    "tabular": {f"tabular.{n}" for n in ("baseline", "linear", "boosting", "mlp")}
    | {"tabular.extra_trees", "tabular.rbf_svm"},
}


def test_each_plugin_registers_its_family() -> None:
    assert {a.name for p in PLUGINS for a in p.selector_architectures()} == set().union(
        *EXPECTED.values()
    )
    for architecture in ARCHITECTURES.values():
        assert architecture.name in EXPECTED[architecture.family]
        assert architecture.title


def test_architectures_name_their_papers() -> None:
    for architecture in ARCHITECTURES.values():
        assert architecture.references or architecture.role == "baseline", architecture.name


def test_entry_point_modules_import_nothing_heavy() -> None:
    code = (
        "import sys, selector_rnn, selector_cnn, selector_hybrid, selector_tabular\n"
        "for p in (selector_rnn, selector_cnn, selector_hybrid, selector_tabular):\n"
        "    assert list(p.selector_architectures())\n"
        "heavy = {'keras', 'jax', 'sklearn', 'scipy', 'optuna'} & set(sys.modules)\n"
        "print(','.join(sorted(heavy)) or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "light"


@pytest.mark.parametrize("form", PROFILES)
def test_portfolio_lies_in_the_space(form: str) -> None:
    p = PROFILES[form]
    for architecture in admitted(p):
        space, portfolio = architecture.space(p), list(architecture.portfolio(p))
        assert 1 <= len(portfolio) <= 3, architecture.name
        assert len({tuple(sorted(c.items())) for c in portfolio}) == len(portfolio)
        for params in portfolio:
            assert set(params) == set(space), architecture.name
            for name, value in params.items():
                assert within(value, space[name]), (architecture.name, name, value)


def within(value: object, ranged: Int | Float | Categorical) -> bool:
    if isinstance(ranged, Categorical):
        return any(type(value) is type(c) and value == c for c in ranged.choices)
    if isinstance(ranged, Int):
        return isinstance(value, int) and ranged.low <= value <= ranged.high
    return isinstance(value, float) and ranged.low <= value <= ranged.high


@pytest.mark.parametrize(
    ("form", "families"),
    [
        ("series", {"rnn", "cnn", "hybrid", "tabular"}),
        ("ragged series", {"rnn", "cnn", "hybrid", "tabular"}),
        ("images", {"rnn", "cnn", "hybrid", "tabular"}),
        ("clips", {"rnn", "cnn", "hybrid", "tabular"}),
        ("table", {"tabular"}),
    ],
)
def test_families_admitted(form: str, families: set[str]) -> None:
    p = PROFILES[form]
    assert {a.family for a in admitted(p)} == families
    trained = {a.family for a in admitted(p, trained=True)}
    assert trained >= families - {"tabular"}
    for architecture in ARCHITECTURES.values():
        assert len(architecture.fit_for(p).reason) > 10


def test_only_the_baseline_of_the_tables_takes_ragged_series() -> None:
    p = PROFILES["ragged series"]
    assert {a.name for a in admitted(p) if a.family == "tabular"} == {"tabular.baseline"}
    assert all(a.variable_length for a in admitted(p))


@pytest.mark.parametrize("form", PROFILES)
def test_every_configuration_builds(form: str) -> None:
    p = PROFILES[form]
    built = 0
    for architecture in admitted(p):
        if not isinstance(architecture, NETWORKS):
            continue
        for params in architecture.portfolio(p):
            features = feature_model(architecture, params, p).output
            assert len(features.shape) == 2
            assert features.shape[0] is None
            assert isinstance(features.shape[1], int)
            assert features.dtype == "float32"
            built += 1
    assert built >= 2


@SAVING
@pytest.mark.parametrize(
    "form",
    [
        "ragged series",
        pytest.param("multivariate series", marks=pytest.mark.slow),
        "small images",
        "small clips",
        "table",
    ],
)
def test_saved_models_load_and_agree(form: str, tmp_path: object) -> None:
    p = PROFILES[form]
    rng = np.random.default_rng(0)
    for architecture in admitted(p):
        if not isinstance(architecture, NETWORKS):
            continue
        model = feature_model(architecture, architecture.portfolio(p)[0], p)
        shape = [4, *(p.lengths[2] if s is None else s for s in model.inputs[0].shape[1:])]
        x = rng.normal(size=shape).astype("float32")
        mask = np.arange(shape[1])[None] < np.array([[shape[1]], [9], [4], [20]])
        architecture.adapt(model, x, mask if p.variable_length else None)
        inputs = [x, mask] if p.variable_length else [x]
        path = f"{tmp_path}/{architecture.name}.keras"
        model.save(path)
        loaded = keras.saving.load_model(path)
        before, after = (m.predict_on_batch(inputs) for m in (model, loaded))
        assert np.isfinite(before).all()
        assert np.ptp(before) > 0
        np.testing.assert_array_equal(before, after, err_msg=architecture.name)


def test_a_large_sample_is_refused_with_its_size() -> None:
    from forms import CLIP_AXES, IMAGE_AXES, profile

    p = profile(IMAGE_AXES, (256, 256, 3))
    for name in ("tabular.linear", "tabular.mlp", "cnn.minirocket"):
        fit = ARCHITECTURES[name].fit_for(p)
        assert not fit.admitted
        assert "196608" in fit.reason
    clips = profile(CLIP_AXES, (40, 72, 64, 1))
    for name in ("tabular.linear", "tabular.boosting", "rnn.gru"):
        assert not ARCHITECTURES[name].fit_for(clips).admitted
    assert ARCHITECTURES["cnn.conv3d"].fit_for(clips).admitted
    assert ARCHITECTURES["cnn.convnet"].fit_for(p).admitted
    assert feature_model(
        ARCHITECTURES["cnn.convnet"], ARCHITECTURES["cnn.convnet"].portfolio(p)[0], p
    ).output.shape == (None, 128)


@pytest.mark.parametrize("steps", [1500, 18_000])
def test_no_step_of_a_long_series_is_skipped(steps: int) -> None:
    p = profile(SERIES_AXES, (steps, 1))
    strided = 0
    for name in ("cnn.fcn", "cnn.resnet", "cnn.separable", "cnn.inception", "cnn.tcn"):
        for params in ARCHITECTURES[name].portfolio(p):
            found = [
                layer
                for layer in feature_model(ARCHITECTURES[name], params, p).layers
                if isinstance(layer, keras.layers.Conv1D) and layer.strides[0] > 1
            ]
            widest = max(layer.kernel_size[0] / layer.strides[0] for layer in found)
            assert widest >= 2, (name, params)
            strided += 1
    assert strided >= 5


@pytest.mark.parametrize(("shape", "kept"), [((40, 101, 1), (40, 34)), ((32, 256, 1), (32, 37))])
def test_each_side_of_an_image_is_shrunk_by_itself(
    shape: tuple[int, ...], kept: tuple[int, int]
) -> None:
    p = profile(IMAGE_AXES, shape, n=500)
    for name in ("cnn.convnet", "cnn.resnet2d", "cnn.separable2d"):
        architecture = ARCHITECTURES[name]
        model = feature_model(architecture, architecture.portfolio(p)[0], p)
        first = next(x for x in model.layers if isinstance(x, keras.layers.AveragePooling2D))
        assert first.output.shape[1:3] == kept, name
