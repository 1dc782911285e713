"""Target and task: which column, classes or numbers, and what is refused or repaired."""

from __future__ import annotations

import numpy as np
import pytest

from selector import readers
from selector.contract import ReadOptions
from selector.errors import DataError, OptionError
from selector.profile import ProfileOptions, assign, describe

RNG = np.random.default_rng(0)
N = 60
A = RNG.normal(size=N)
B = RNG.normal(size=N)
PETS = ["cat", "dog", "eel"] * 20


@pytest.mark.parametrize("name", ["target", "Label", "CLASS", "y", "species", "outcome"])
def test_a_telling_name_is_found_anywhere(make, name):
    dataset, decisions = assign(make.table(**{"a": A, name: PETS, "b": B}))
    assert decisions["target"].value == name
    assert decisions["target"].confidence > 0.9
    assert [c.name for c in dataset.x.columns] == ["a", "b"]
    assert np.array_equal(dataset.x.values, np.column_stack([A, B]))


@pytest.mark.parametrize(
    ("names", "target"),
    [
        (("carat", "x", "y", "z"), "z"),
        (("X", "Y", "month", "area"), "area"),
        (("x", "y", "label"), "label"),
        (("x", "y"), "y"),
    ],
)
def test_beside_x_y_is_a_coordinate(make, names, target):
    found = describe(make.table(**{name: RNG.normal(size=N) for name in names})).profile
    assert found.target == target
    assert "possible" not in found.decisions["target"].reason
    sure = found.decisions["target"].confidence > 0.9
    assert sure is (target in ("y", "label"))
    assert sure is not any(w.startswith("target") for w in found.warnings)


def test_of_several_telling_names_one_is_chosen_and_doubted(make):
    found = describe(make.table(a=A, survived=[0, 1] * 30, **{"class": [1, 2, 3] * 20})).profile
    assert found.target == "class"
    assert any(
        w.startswith("target 'class' is not certain (60%)") and "also possible: survived" in w
        for w in found.warnings
    )


LABELS = [1, 2, 3] * 20


@pytest.mark.parametrize(
    ("first", "last", "width", "prefix", "target"),
    [
        (LABELS, A, 8, "c", "c0"),
        (LABELS, [0] * N, 8, "c", "c0"),
        (LABELS, [None] * N, 8, "c", "c0"),
        (LABELS, list(range(N)), 8, "c", "c0"),
        (LABELS, A, 8, "", "0"),
        (LABELS, [0, 1] * 30, 8, "c", "c7"),
        (LABELS, PETS, 8, "c", "c7"),
        (LABELS, A, 7, "c", "c6"),
        (A, B, 8, "c", "c7"),
        (PETS, A, 8, "c", "c7"),
        ([1] * N, A, 8, "c", "c7"),
        (list(range(30)) * 2, A, 8, "c", "c7"),
    ],
)
def test_labels_in_front_of_columns_without_names(make, first, last, width, prefix, target):
    cells = {f"{prefix}{i}": RNG.normal(size=N) for i in range(width)}
    cells |= {f"{prefix}0": first, f"{prefix}{width - 1}": last}
    decision = assign(make.table(**cells))[1]["target"]
    assert decision.value == target
    if target.endswith("0"):
        assert decision.confidence == 0.65


def test_columns_with_names_of_their_own_have_no_labels_in_front(make):
    cells = {f"c{i}": RNG.normal(size=N) for i in range(8)}
    assert assign(make.table(kind=LABELS, **cells))[1]["target"].value == "c7"


def test_series_without_a_header_behind_their_labels(tmp_path, make_walks):
    walks = make_walks()
    rows = [[str(k), *(f"{v:.4f}" for v in w)] for k, w in zip(LABELS, walks, strict=True)]
    path = tmp_path / "Walks_TRAIN.tsv"
    path.write_text("\n".join("\t".join(row) for row in rows))
    found = describe(readers.read(path))
    assert (found.profile.target, found.profile.classes) == ("c0", ("1", "2", "3"))
    assert (found.profile.kind, found.profile.shape) == ("sequential", (40, 1))
    assert any("target 'c0' is not certain (65%)" in w for w in found.profile.warnings)
    options = ReadOptions(expect=found.schema.source)
    again = found.schema.apply(readers.read(path, options))
    assert np.array_equal(again.y.values, found.dataset.target.values)
    bare = found.schema.apply(readers.read(walks, options))
    assert bare.y is None
    np.testing.assert_allclose(bare.x.values, found.dataset.x.values, atol=1e-3)


def test_arrays_may_lack_the_labels_in_front(make_walks):
    walks = make_walks()
    found = describe(readers.read(np.column_stack([LABELS, walks])))
    assert found.profile.target == "c0"
    options = ReadOptions(expect=found.schema.source)
    bare = found.schema.apply(readers.read(walks, options))
    np.testing.assert_array_equal(bare.x.values, found.dataset.x.values)


def test_else_the_last_column_with_less_confidence(make):
    _, decisions = assign(make.table(a=A, b=B, pet=PETS))
    assert decisions["target"].value == "pet"
    assert decisions["target"].confidence < 0.8
    assert "last" in decisions["target"].reason
    assert decisions["target"].option == "--target"


def test_the_user_names_the_target(make):
    dataset, decisions = assign(make.table(pet=PETS, a=A, target=B), ProfileOptions(target="pet"))
    assert decisions["target"].confidence == 1.0
    assert dataset.target.columns[0].levels == ("cat", "dog", "eel")
    assert [c.name for c in dataset.x.columns] == ["a", "target"]


def test_a_wrong_target_is_an_error_with_a_guess(make):
    with pytest.raises(OptionError, match=r"Allowed: pets, a\. Did you mean 'pets'"):
        assign(make.table(pets=PETS, a=A), ProfileOptions(target="pet"))
    with pytest.raises(OptionError, match="comes with its own target"):
        assign(make.array(A.reshape(12, 5, 1), [0, 1] * 6), ProfileOptions(target="pet"))


def test_series_without_a_target_are_refused(make):
    from dataclasses import replace

    data = replace(make.array(A.reshape(12, 5, 1), [0, 1] * 6), target=None)
    with pytest.raises(DataError, match="no target"):
        assign(data)


def test_a_single_column_is_refused(make):
    with pytest.raises(DataError, match="one column"):
        assign(make.table(a=A))


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (PETS, "classification"),
        ([0, 1] * 30, "classification"),
        ([3, 7, 9] * 20, "classification"),
        (list(range(1, 11)) * 6, "classification"),
        ([1.0, 2.0] * 30, "classification"),
        ([0.5, 1.5] * 30, "classification"),
        (A, "regression"),
        (RNG.integers(0, 1000, N), "regression"),
        (list(range(30)) * 2, "regression"),
        ([0.1, 0.2, 0.3] * 20, "regression"),
    ],
)
def test_task(make, cells, task):
    decision = assign(make.table(a=A, b=B, target=cells))[1]["task"]
    assert decision.value == task
    assert decision.confidence >= 0.7


def test_many_balanced_codes_are_classes(make):
    y = np.repeat(np.arange(26), 40)
    x = RNG.normal(size=len(y))
    assert assign(make.table(a=x, target=y))[1]["task"].value == "classification"
    ages = np.clip(RNG.normal(40, 12, len(y)).round(), 1, 90)
    assert assign(make.table(a=x, target=ages))[1]["task"].value == "regression"


def test_the_user_names_the_task(make):
    data = make.table(a=A, target=[1, 2, 3] * 20)
    dataset, decisions = assign(data, ProfileOptions(task="regression"))
    assert decisions["task"].confidence == 1.0
    assert np.array_equal(dataset.target.values, [1.0, 2.0, 3.0] * 20)
    assert dataset.target.columns[0].levels == ()
    halves = make.table(a=A, target=[0.5, 1.0, 1.5] * 20)
    dataset, _ = assign(halves, ProfileOptions(task="classification"))
    assert dataset.target.columns[0].levels == ("0.5", "1.0", "1.5")
    with pytest.raises(DataError, match="holds text \\(cat, dog, eel\\)"):
        assign(make.table(a=A, target=PETS), ProfileOptions(task="regression"))


def test_labels_stay_as_written_and_in_order_of_their_numbers(make):
    from dataclasses import replace

    from selector.contract import Column, Dataset, Variable

    data = make.table(a=A, target=[2, 10, 1] * 20)
    x = data.x
    column = Column("target", "numeric", ("01", "02", "10", "77"), "integer")
    data = Dataset("t", {"x": replace(x, columns=(x.columns[0], column))})
    dataset, _ = assign(data)
    assert dataset.target.columns[0].levels == ("01", "02", "10")
    assert dataset.target.columns[0].dtype == "integer"
    assert dataset.target.values[:3].tolist() == [1.0, 2.0, 0.0]
    assert isinstance(dataset.target, Variable)
    text = [str(i) for i in [2, 10, 1]] * 20
    dataset, _ = assign(make.table(a=A, target=text))
    assert dataset.target.columns[0].levels == ("1", "2", "10")


def test_rows_without_target_are_left_out_and_counted(make):
    cells = [None, *PETS[1:-1], None]
    dataset, _ = assign(make.table(a=A, b=B, target=cells))
    assert len(dataset) == N - 2
    assert np.array_equal(dataset.x.values[:, 0], A[1:-1])
    assert "2 of 60 samples have no target" in dataset.notes[0]


def test_ids_follow_their_rows(make):
    from dataclasses import replace

    data = replace(
        make.array(A.reshape(12, 5, 1), [None, *[0, 1] * 5, 0]), ids=tuple("abcdefghijkl")
    )
    assert assign(data)[0].ids == tuple("bcdefghijkl")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([None] * N, "missing in all 60"),
        (["cat"] * N, r"one class only \('cat'\)"),
        ([1] * N, "one class only"),
        ([None] * 52 + ["a", "b"] * 4, "8 usable samples; at least 10"),
        ([f"name {i}" for i in range(N)], "60 classes in 60 samples"),
        (["a"] * 59 + ["b"], "only 1 of them"),
    ],
)
def test_targets_that_cannot_be_learnt(make, cells, message):
    with pytest.raises(DataError, match=message):
        assign(make.table(a=A, target=cells))


def test_a_constant_number_cannot_be_a_regression(make):
    with pytest.raises(DataError, match="same value"):
        assign(make.table(a=A, target=[1.5] * N), ProfileOptions(task="regression"))


def test_classes_of_one_sample_are_left_out_and_named(make):
    cells = [*PETS[:-2], "fox", "gnu"]
    dataset, _ = assign(make.table(a=A, b=B, target=cells))
    assert len(dataset) == N - 2
    assert dataset.target.columns[0].levels == ("cat", "dog", "eel")
    assert dataset.target.values.max() == 2
    assert "2 class(es) with a single sample were left out: 'fox', 'gnu'" in dataset.notes[0]


def test_row_ids_and_free_text_are_left_out(make):
    data = make.table(
        number=list(range(1, 1 + N)),
        PassengerId=[int(i) * 7 for i in RNG.permutation(N)],
        uuid=[f"u{i * 31 % 61}" for i in range(N)],
        remark=[f"remark {i}" for i in range(N)],
        a=A,
        pet=PETS,
        target=[0, 1] * 30,
    )
    found = describe(data)
    assert [c.name for c in found.dataset.x.columns] == ["a", "pet"]
    assert found.schema.dropped == ("number", "PassengerId", "uuid", "remark")
    assert any("'number' was left out: it only counts" in n for n in found.dataset.notes)
    assert any("'uuid' was left out: an id" in n for n in found.dataset.notes)
    assert any("'remark' holds text" in w for w in found.profile.warnings)
    order = RNG.permutation(N)
    shuffled = data.take(order)
    assert describe(shuffled).schema.dropped == found.schema.dropped[1:], "a rank counts no rows"


def test_a_table_of_ids_only_is_refused(make):
    with pytest.raises(DataError, match=r"no column .* can predict"):
        assign(make.table(id=list(range(N)), target=[0, 1] * 30))


def test_distinct_measurements_are_no_ids(make):
    data = make.table(a=A, weight=[int(1000 * v) for v in A], target=[0, 1] * 30)
    assert describe(data).schema.dropped == ()


def test_an_id_with_gaps_is_left_out_too(make):
    numbers = [None, *(int(i) * 7 for i in RNG.permutation(N - 1))]
    data = make.table(PassengerId=numbers, fare=numbers, a=A, target=[0, 1] * 30)
    assert describe(data).schema.dropped == ("PassengerId",)


def test_what_the_whole_table_left_out_stays_out_of_a_part(make):
    data = make.table(number=list(range(N)), a=A, target=[0, 1] * 30)
    whole, part = describe(data), data.take(np.arange(0, N, 3))
    assert describe(part).schema.dropped == ()
    found = describe(part, known=whole.left_out)
    assert found.schema.dropped == ("number",)
    assert found.dataset.notes == whole.dataset.notes


@pytest.mark.parametrize(("name", "confidence"), [("region", 0.6), ("Label", 1.0)])
def test_a_target_that_the_reader_guessed_is_doubted(make, name, confidence):
    from dataclasses import replace

    data = make.array(RNG.normal(size=(12, 5, 1)), [0, 1] * 6)
    column = replace(data.target.columns[0], name=name)
    source = {**data.source, "target": name, "guessed": name}
    data = replace(data, target=replace(data.target, columns=(column,)), source=source)
    found = describe(data).profile
    assert found.decisions["target"].confidence == confidence
    doubted = any(f"target '{name}' is not certain (60%)" in w for w in found.warnings)
    assert doubted == (confidence < 1)
    named = describe(data, ProfileOptions(target=name)).profile.decisions["target"]
    assert (named.confidence, named.reason) == (1.0, "given by --target")


def test_a_regression_on_text_is_refused_with_the_cells_that_are_none(make):
    data = make.table(a=A, target=["1", "2", "3", "n.a."] * 15)
    with pytest.raises(DataError, match=r"holds text \(n\.a\., 1, 2\)"):
        assign(data, ProfileOptions(task="regression"))
