"""Long CSV and .ts files, and tables that must not be taken for long ones."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

import selector_datasets
from selector.contract import ReadOptions
from selector.errors import DataError, OptionError
from selector.profile import describe
from selector.readers import read
from selector.readers.align import align


def write(folder, text, name="series.csv"):
    path = folder / name
    path.write_text(text)
    return path


def long_text(rng, n=12, steps=(5, 9), header="id,t,a,b,label", sep=","):
    lines = [header]
    for i in range(n):
        for t in range(int(rng.integers(*steps))):
            a, b = rng.normal(size=2).round(3)
            lines.append(sep.join(map(str, (i, t, a, b, "xyz"[i % 3]))))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", ["BasicMotions", "JapaneseVowels", "PickupGestureWiimoteZ"])
@pytest.mark.parametrize("part", ["train", "test"])
def test_both_forms_hold_the_same(name, part):
    series = read(selector_datasets.path(name, part))
    table = read(selector_datasets.path(name, f"{part}_long"))
    card = selector_datasets.card(name)
    assert len(series) == len(table) == card[f"n_{part}"]
    assert series.x.axes == table.x.axes == ("time", "channel")
    assert series.x.values.dtype == table.x.values.dtype == np.float32
    if series.x.lengths is None:
        assert table.x.lengths is None
    else:
        np.testing.assert_array_equal(series.x.lengths, table.x.lengths)
    np.testing.assert_allclose(series.x.values, table.x.values, rtol=1e-5, atol=1e-5)
    labels = [d.target.columns[0].levels for d in (series, table)]
    assert labels[0] == labels[1]
    np.testing.assert_array_equal(
        np.array(labels[0])[series.target.values.astype(int)],
        _as_text(table.target),
    )
    assert table.source["reader"] == "long"
    assert table.ids[:3] == ("0", "1", "2")


def _as_text(target):
    column = target.columns[0]
    if column.type == "categorical":
        return np.array(column.levels)[target.values.astype(int)]
    return np.array([f"{v:.0f}" for v in target.values])


def test_classes_of_ts_are_in_the_order_of_their_numbers():
    column = read(selector_datasets.path("PickupGestureWiimoteZ")).target.columns[0]
    assert column.levels == tuple(str(i) for i in range(1, 11))
    assert (column.type, column.dtype) == ("categorical", "integer")


def test_detected_without_familiar_names(tmp_path):
    text = long_text(np.random.default_rng(0), header="k,u,a,b,z")
    dataset = read(write(tmp_path, text))
    assert [dataset.source[k] for k in ("id", "step", "target")] == ["k", "u", "z"]
    assert dataset.source["channels"] == ["a", "b"]
    assert len(dataset) == 12
    assert int(dataset.x.lengths.sum()) == text.count("\n") - 1


def test_order_of_appearance_and_sorting(tmp_path):
    rows = ["id,time,v,target"]
    rows += ["b,2,12,1", "b,1,11,1", "b,3,13,1", "a,1,21,0", "c,1,31,0", "a,2,22,0", "c,2,32,0"]
    rows += [f"{name},{t},{t},0" for name in "defghij" for t in (1, 2)]
    dataset = read(write(tmp_path, "\n".join(rows)))
    assert dataset.ids == tuple("bacdefghij")
    assert dataset.x.lengths.tolist() == [3] + [2] * 9
    assert dataset.x.values[:7, 0].tolist() == [11, 12, 13, 21, 22, 31, 32]
    assert dataset.target.values.tolist() == [1] + [0] * 9
    assert "rows were sorted by 'time' within each series" in dataset.notes


def test_equal_lengths_are_stacked(tmp_path):
    rows = ["series,step,v,w,y"] + [
        f"s{i},{t},{i - t},{t},{i % 2}" for i in range(12) for t in range(4)
    ]
    dataset = read(write(tmp_path, "\n".join(rows)))
    assert dataset.x.lengths is None
    assert dataset.x.values.shape == (12, 4, 2)
    assert dataset.x.values[3, 2].tolist() == [1, 2]


def test_dates_as_steps(tmp_path):
    rows = ["sensor,day,v,state"]
    rows += [f"s{i},2024-01-{d:02d},{d * i},{'ab'[i % 2]}" for i in range(10) for d in range(1, 9)]
    dataset = read(write(tmp_path, "\n".join(rows)))
    assert (dataset.source["id"], dataset.source["step"]) == ("sensor", "day")
    assert dataset.x.values.shape == (10, 8, 1)


AMERICAN = ("1/15/2024", "2/15/2024", "9/15/2024", "10/15/2024", "11/15/2024")
HALVES = ("09:00 AM", "11:00 AM", "01:00 PM", "02:30 PM", "10:00 PM")


@pytest.mark.parametrize("steps", [AMERICAN, HALVES])
@pytest.mark.parametrize("options", [{}, {"id": "k"}, {"id": "k", "step": "time"}])
def test_time_orders_steps_written_as_text(tmp_path, steps, options):
    rows = [f"{i},{t},{i + j},{'ab'[i % 2]}" for i in range(10) for j, t in enumerate(steps)]
    dataset = read(write(tmp_path, "\n".join(["k,time,v,y", *rows])), ReadOptions(**options))
    assert dataset.source["step"] == "time"
    assert dataset.x.values[1, :, 0].tolist() == [1, 2, 3, 4, 5]
    assert len(dataset.notes) == (not options)
    back = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    named = ReadOptions(id="k", step="time", target="y")
    again = read(write(tmp_path, "\n".join(["k,time,v,y", *back])), named)
    one = again.ids.index("1")
    assert again.x.values[one, :, 0].tolist() == [1, 2, 3, 4, 5]


def test_text_that_only_begins_like_a_date_is_no_step(tmp_path):
    late = [f"2024-02-{d:02d}" for d in range(1, 22)] + ["2024-03-01 or so"]
    rows = [f"s{i},{day},{d * i},{'ab'[i % 2]}" for i in range(10) for d, day in enumerate(late)]
    path = write(tmp_path, "\n".join(["sensor,day,v,state", *rows]))
    assert read(path).source["reader"] == "table"
    with pytest.raises(OptionError, match="--step 'day' holds text"):
        read(path, ReadOptions(id="sensor", step="day"))


@pytest.mark.parametrize("kind", ["noise", "counters"])
def test_a_wide_table_of_integers_is_looked_through_once(tmp_path, monkeypatch, kind):
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 9, (300, 40))
    if kind == "counters":
        cells[:, 20:] = np.arange(300)[:, None] + rng.integers(0, 5, 20)
        cells[:, :20].sort(axis=0)
    rows = [",".join(f"f{i}" for i in range(40)), *(",".join(map(str, r)) for r in cells)]
    calls: Counter[str] = Counter()
    for name in ("argsort", "unique"):
        real = getattr(np, name)
        monkeypatch.setattr(
            np, name, lambda *a, _n=name, _f=real, **k: (calls.update([_n]), _f(*a, **k))[1]
        )
    assert read(write(tmp_path, "\n".join(rows))).source["reader"] == "table"
    assert calls["argsort"] <= 2 * 40
    assert calls["unique"] <= 2 * 40  # one for the levels of each column


def test_categorical_channels_become_one_hot_as_in_training(tmp_path):
    rows = ["id,t,v,mode,y"]
    rows += [f"{i},{t},{t},{'ab'[(i + t) % 2]},{i % 2}" for i in range(12) for t in range(5)]
    trained = read(write(tmp_path, "\n".join(rows)))
    assert [c.name for c in trained.x.columns] == ["v", "mode=a", "mode=b"]
    new = write(tmp_path, "mode,t,v,id\nb,0,1,9\nc,1,2,9\n", "new.csv")
    dataset = read(new, ReadOptions(expect=trained.source))
    assert [c.name for c in dataset.x.columns] == ["v", "mode=a", "mode=b"]
    assert dataset.target is None
    np.testing.assert_array_equal(dataset.x.values[0], [[1, 0, 1], [2, np.nan, np.nan]])
    assert any("not seen in training ('c')" in n for n in dataset.notes)


def test_prediction_of_one_long_series_without_target(tmp_path):
    trained = read(selector_datasets.path("JapaneseVowels", "train_long"))
    lines = selector_datasets.path("JapaneseVowels", "test_long").read_text().splitlines()
    one = [",".join(x.split(",")[:-1]) for x in lines if x.startswith(("series_id", "0,"))]
    dataset = read(write(tmp_path, "\n".join(one)), ReadOptions(expect=trained.source))
    assert len(dataset) == 1
    assert dataset.target is None
    whole = read(selector_datasets.path("JapaneseVowels", "test_long"))
    np.testing.assert_array_equal(dataset.x.values[0], whole.take(np.array([0])).x.values)


def test_long_csv_for_a_model_trained_on_ts():
    trained = read(selector_datasets.path("BasicMotions"))
    path = selector_datasets.path("BasicMotions", "test_long")
    dataset = read(path, ReadOptions(expect=trained.source))
    expect = {
        "axes": trained.x.axes,
        "shape": trained.x.sample_shape,
        "columns": trained.x.columns,
    }
    x, notes = align(dataset, expect)
    assert x.values.shape == (40, 100, 6)
    assert x.columns == trained.x.columns
    assert notes == ["the channels have other names than in training: matched by position"]


@pytest.mark.parametrize("name", ["iris", "wine", "diabetes"])
def test_ordinary_tables_stay_tables(tmp_path, name):
    path = selector_datasets.make(name, tmp_path)
    assert read(path).source["reader"] == "table"
    rows = path.read_text().splitlines()
    numbered = ["id," + rows[0]] + [f"{i},{row}" for i, row in enumerate(rows[1:])]
    twin = [f"{row},{row.split(',')[-1][0]}" for row in numbered]
    twin[0] = numbered[0] + ",again"
    for text in (numbered, twin, sorted(numbered[1:]) and [numbered[0], *sorted(numbered[1:])]):
        dataset = read(write(tmp_path, "\n".join(text), "numbered.csv"))
        assert dataset.source["reader"] == "table"
        assert len(dataset) == len(rows) - 1


def test_penguins_sorted_by_any_columns_stay_a_table(tmp_path):
    rows = selector_datasets.path("penguins").read_text().splitlines()
    for column in range(8):
        body = sorted(rows[1:], key=lambda r: r.split(",")[column])
        numbered = ["rowid," + rows[0]] + [f"{i + 1},{r}" for i, r in enumerate(body)]
        dataset = read(write(tmp_path, "\n".join(numbered)))
        assert dataset.source["reader"] == "table", column


def panel(stores: int) -> str:
    """Write the sales of stores, a row for each day; each store is in one region."""
    rows = [
        f"s{i},2024-01-{d:02d},{(7 * i + 3 * d) % 50},{('north', 'south')[i % 2]}"
        for i in range(stores)
        for d in range(1, 21)
    ]
    return "\n".join(["store,date,sales,region", *rows])


def test_series_that_nobody_asked_for_are_told(tmp_path):
    path = write(tmp_path, panel(12))
    found = read(path)
    assert found.notes == (
        "rows were read as 12 series: 'store' names them, 'date' orders them; to read a table, "
        "name a --target that changes within them",
    )
    assert found.source["guessed"] == "region"
    named = read(path, ReadOptions(target="region"))
    assert named.notes == ("rows were read as 12 series: 'store' names them, 'date' orders them",)
    assert named.source["guessed"] is None
    asked = read(path, ReadOptions(id="store"))
    assert (asked.notes, asked.source["guessed"]) == ((), "region")
    assert read(path, ReadOptions(target="sales")).source["reader"] == "table"


def test_too_few_series_for_a_model_are_a_table_unless_asked_for(tmp_path):
    rows = [line.split(",") for line in panel(5).split("\n")]
    path = write(tmp_path, "\n".join(f"{s},{d},{r},{n}" for s, d, n, r in rows))
    found = read(path)
    assert (found.source["reader"], len(found), found.notes) == ("table", 100, ())
    told = read(path, ReadOptions(target="region"))
    assert (told.source["reader"], len(told)) == ("long", 5), "it would follow from the store"
    assert len(read(write(tmp_path, panel(5)))) == 5, "so would a region in the last column"
    assert len(read(path, ReadOptions(id="store", step="date"))) == 5
    assert len(read(path, ReadOptions(expect={"reader": "ts"}))) == 5


def test_forced_by_id(tmp_path):
    path = write(tmp_path, "who,when,v,kind\n" + "p,5,1,x\np,1,2,x\nq,7,3,y\nq,9,4,y\n")
    assert read(path).source["reader"] == "table"
    dataset = read(path, ReadOptions(id="who", step="when"))
    assert dataset.x.values[:, :, 0].tolist() == [[2, 1], [3, 4]]
    assert dataset.target.columns[0].name == "kind"
    unsorted = read(path, ReadOptions(id="who", target="kind"))
    assert unsorted.source["step"] is None
    assert unsorted.source["channels"] == ["when", "v"]


def patients(**constant):
    """Return 12 series of 5 steps, the last patient first."""
    who = np.arange(12, 0, -1)
    cells = {"patient": np.repeat(who, 5), "t": np.tile(range(5), 12), "v": np.arange(60.0)}
    return pd.DataFrame(cells | {k: np.repeat(v, 5) for k, v in constant.items()})


@pytest.mark.parametrize("constant", [{}, {"age": [30, 40] * 6}])
def test_the_target_of_series_may_come_apart(constant):
    y = np.arange(12) % 3
    frame = patients(**constant)
    dataset = read(frame, ReadOptions(id="patient", step="t"), y)
    assert dataset.ids == tuple(str(i) for i in range(12, 0, -1))
    assert dataset.target.values.tolist() == y.tolist()
    assert dataset.source["target"] == "target"
    assert [c.name for c in dataset.x.columns] == ["v", *constant]
    assert dataset.notes == ()
    again = read(frame, ReadOptions(expect=dataset.source))
    np.testing.assert_array_equal(again.x.values, dataset.x.values)
    with pytest.raises(DataError, match=r"12 samples, y has 60 values.* 'patient' .* first appear"):
        read(frame, ReadOptions(id="patient", step="t"), np.repeat(y, 5))


def test_a_target_that_comes_apart_is_no_channel():
    frame = patients(age=[30, 40] * 6, label=[0, 1] * 6)
    y = pd.Series([0, 1] * 6, name="label")
    dataset = read(frame, ReadOptions(id="patient", step="t"), y)
    assert [c.name for c in dataset.x.columns] == ["v", "age"]
    assert dataset.notes == ("y takes the place of the target that X has itself, 'label'",)
    assert describe(dataset).profile.decisions["target"].confidence == 1.0


LONG = "who,when,v,kind\np,1,1,x\np,2,2,x\nq,1,3,y\nq,1,4,y\n"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (LONG, {"id": "whom"}, "no column 'whom' .--id.. Did you mean 'who'"),
        (LONG, {"id": "who", "step": "wen"}, "no column 'wen' .--step.. Did you mean 'when'"),
        (LONG, {"step": "when"}, "--step 'when' needs --id"),
        (LONG, {"id": "who", "step": "when"}, "repeat a step .* who q, when 1"),
        (LONG, {"id": "who", "target": "v"}, "'v' .--target. changes within the series"),
        ("who,when,v\np,1,1\np,2,2\nq,1,3\nq,2,5\n", {"id": "who"}, "no column is constant"),
        ("who,when,v,k\np,1,1,x\n,2,2,x\nq,1,3,y\n", {"id": "who"}, "'who' .* missing cells"),
        ("who,when,v,k\np,1,1,x\np,,2,x\nq,1,3,y\n", {"id": "who", "step": "when"}, "'when' has"),
    ],
)
def test_bad_long_tables(tmp_path, text, options, message):
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, text), ReadOptions(**options))


TS = "@problemName Toy\n@timeStamps false\n@univariate false\n@classLabel true a b\n@data\n"


def test_ts_ragged_with_gaps(tmp_path):
    path = write(tmp_path, TS + "1,?,3:4,5,6:b\n7,8:9,NaN:a\n", "toy.ts")
    dataset = read(path)
    assert dataset.name == "Toy"
    assert dataset.x.lengths.tolist() == [3, 2]
    np.testing.assert_array_equal(
        dataset.x.values, [[1, 4], [np.nan, 5], [3, 6], [7, 9], [8, np.nan]]
    )
    assert dataset.target.columns[0].levels == ("a", "b")
    assert dataset.target.values.tolist() == [1, 0]


def test_ts_regression_and_without_target(tmp_path):
    head = "@problemName T\n@timeStamps false\n@targetLabel true\n@data\n"
    dataset = read(write(tmp_path, head + "1,2:0.5\n3,4:-2\n", "r.ts"))
    assert dataset.target.columns[0].type == "numeric"
    assert dataset.target.values.tolist() == [0.5, -2]
    bare = read(write(tmp_path, "@classLabel false\n@data\n1,2\n3,4\n", "b.ts"))
    assert bare.target is None
    assert bare.x.values.shape == (2, 2, 1)
    unknown = read(write(tmp_path, TS + "1,2:?\n3,4:?\n", "u.ts"))
    assert unknown.target is None


def test_ts_classes_may_be_named_none(tmp_path):
    path = write(tmp_path, TS + "1:2:none\n3:4:-\n5:6:None\n7:8:?\n", "n.ts")
    target = read(path).target
    assert target.columns[0].levels == ("-", "None", "none")
    np.testing.assert_array_equal(target.values, [2, 0, 1, np.nan])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no @data line"),
        ("1,2,3\n", "line 1: a header line beginning with '@'"),
        (TS, "holds no series"),
        (TS.replace("timeStamps false", "timeStamps true") + "(0,1):a\n", "@timeStamps true"),
        (TS + "1,2:3:a\n", "line 6: its channels have different lengths .1, 2 steps"),
        (TS + "1,2:3,4:a\n1,2:b\n", "line 7: 1 channels, where the first series has 2"),
        (TS + "1,x:a\n", "line 6: 'x' is not a number"),
        (TS + "1,2\n", "line 6: channels and a label separated by ':'"),
    ],
)
def test_bad_ts(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, text, "bad.ts"))
