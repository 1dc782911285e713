"""Folders of images."""

from __future__ import annotations

import re
import shutil
import weakref

import numpy as np
import pytest
from PIL import Image

import selector_datasets
from selector.contract import ReadOptions
from selector.errors import DataError
from selector.readers import images, read


def picture(path, size=(8, 6), mode="L", value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "shapes"
    for i, name in enumerate(("b/2.png", "a/10.png", "a/9.PNG", "b/1.bmp")):
        picture(root / name, value=10 * i)
    return root


def test_mnist():
    dataset = read(selector_datasets.path("mnist"))
    assert dataset.x.axes == ("height", "width", "channel")
    assert dataset.x.values.shape == (800, 28, 28, 1)
    assert dataset.x.values.dtype == np.float32
    assert dataset.x.values.max() == 255
    assert dataset.target.columns[0].levels == tuple("0123456789")
    assert np.bincount(dataset.target.values.astype(int)).tolist() == [80] * 10
    assert dataset.notes == ()
    path = selector_datasets.path("mnist") / dataset.ids[417]
    np.testing.assert_array_equal(dataset.x.values[417, :, :, 0], np.asarray(Image.open(path)))
    assert dataset.target.columns[0].levels[int(dataset.target.values[417])] == path.parent.name


def test_order_and_classes(folder):
    (folder / ".hidden").mkdir()
    picture(folder / ".hidden" / "x.png")
    picture(folder / "a" / "._9.png")
    (folder / "a" / "notes.txt").write_text("no image")
    dataset = read(folder)
    assert dataset.name == "shapes"
    assert dataset.ids == ("a/10.png", "a/9.PNG", "b/1.bmp", "b/2.png")
    assert dataset.target.values.tolist() == [0, 0, 1, 1]
    assert dataset.x.values[:, 0, 0, 0].tolist() == [10, 20, 30, 0]
    assert dataset.x.values.shape == (4, 6, 8, 1)
    assert dataset.notes == ()


def test_sizes_become_the_median(folder):
    picture(folder / "a" / "large.png", size=(20, 30))
    dataset = read(folder)
    assert dataset.x.values.shape == (5, 6, 8, 1)
    assert dataset.notes == (
        "1 of 5 images of another size were resized to 6 × 8 (height × width)",
    )


@pytest.mark.parametrize("extension", ["png", "jpg"])
def test_photos_are_read_small_and_one_by_one(tmp_path, monkeypatch, extension):
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    photo = coarse.resize((1600, 1200), Image.Resampling.BICUBIC)
    for name in ("a/1", "a/2", "b/1", "b/2"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        photo.save(tmp_path / "in" / f"{name}.{extension}")
    decoded, alive = [], []
    real = images._plain

    def plain(image):
        out = real(image)
        decoded.append(weakref.ref(out))
        alive.append(sum(ref() is not None for ref in decoded))
        return out

    monkeypatch.setattr(images, "_plain", plain)
    trained = read(tmp_path / "in")
    assert len(alive) == 4
    assert max(alive) <= 2  # the one before may not be gone yet
    assert trained.x.values.shape == (4, 192, 256, 3)
    assert trained.x.values.flags["C_CONTIGUOUS"]
    assert trained.notes == (
        "4 of 4 images of another size were resized to 192 × 256 (height × width); the longer side "
        "is at most 256",
    )
    expected = np.asarray(photo.resize((256, 192), Image.Resampling.BILINEAR), dtype=np.float32)
    assert np.abs(trained.x.values - expected).mean() < 2
    (tmp_path / "new").mkdir()
    for i, size in enumerate([(1600, 1200), (100, 400)]):
        photo.resize(size).save(tmp_path / "new" / f"{i}.{extension}")
    new = read(tmp_path / "new", ReadOptions(expect=trained.source))
    assert new.x.values.shape == (2, 192, 256, 3)
    np.testing.assert_array_equal(new.x.values[0], trained.x.values[0])


@pytest.fixture
def photos(tmp_path):
    """Write four photos of 64 × 80 (height × width), which take 245,760 bytes as float32."""
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        picture(tmp_path / "photos" / name, size=(80, 64), mode="RGB", value=(9, 9, 9))
    return tmp_path / "photos"


def test_many_images_are_read_small_enough_for_the_memory(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(images, "MOST_BYTES", 245_760)
    assert read(photos).x.values.shape == (4, 64, 80, 3)
    assert read(photos).notes == ()
    monkeypatch.setattr(images, "MOST_BYTES", 61_440)
    trained = read(photos)
    assert trained.x.values.shape == (4, 32, 40, 3)
    (note,) = trained.notes
    assert re.fullmatch(r"4 of 4 images .* 32 × 40 .*; that is so small to fit .* GiB in all", note)
    shutil.copytree(photos, tmp_path / "new")
    for i in range(8):
        picture(tmp_path / "new" / "a" / f"more{i}.png", size=(80, 64))
    new = read(tmp_path / "new", ReadOptions(expect=trained.source))
    assert new.x.values.shape == (12, 32, 40, 3)


def test_too_many_images_to_be_read_small_are_refused(photos, monkeypatch):
    monkeypatch.setattr(images, "MOST_BYTES", 61_439)
    with pytest.raises(
        DataError, match=r"4 images of 64 × 80 .* At 32 × 40, 3 of them fit\. Leave"
    ):
        read(photos)


@pytest.mark.parametrize(
    ("mode", "value", "pixel"),
    [
        ("RGB", (10, 20, 30), [10, 20, 30]),
        ("RGBA", (10, 20, 30, 128), [10, 20, 30]),
        ("1", 1, [255]),
        ("LA", (77, 9), [77]),
        ("I;16", 514, [2]),
    ],
)
def test_modes(tmp_path, mode, value, pixel):
    for name in ("a/1.png", "b/1.png"):
        picture(tmp_path / name, mode=mode, value=value)
    assert read(tmp_path).x.values[0, 0, 0].tolist() == pixel


def test_palette_images(tmp_path):
    for i, name in enumerate(("a/1.gif", "b/1.gif")):
        picture(tmp_path / name, mode="L", value=50 + i)
    assert read(tmp_path).x.values[:, 0, 0].tolist() == [[50], [51]]


def test_coloured_palettes(tmp_path):
    for i, name in enumerate(("a/1.gif", "b/1.gif")):
        picture(tmp_path / name, mode="RGB", value=(255, 0, 50 * i))
    assert read(tmp_path).x.values[:, 0, 0].tolist() == [[255, 0, 0], [255, 0, 50]]


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, "top left"), (3, "bottom right"), (6, "top right"), (8, "bottom left")],
)
def test_photos_are_turned_as_the_camera_was_held(tmp_path, orientation, corner):
    pixels = np.full((32, 64), 20, np.uint8)
    pixels[:16, :16] = 220  # top left in the file
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a/1.jpg", "b/1.jpg"):
        (tmp_path / name).parent.mkdir()
        Image.fromarray(pixels).save(tmp_path / name, exif=exif, quality=95)
    values = read(tmp_path).x.values[0, :, :, 0]
    assert values.shape == ((64, 32) if orientation in (6, 8) else (32, 64))
    bright = {"top left": values[:8, :8], "bottom right": values[-8:, -8:]}
    bright |= {"top right": values[:8, -8:], "bottom left": values[-8:, :8]}
    assert {name for name, part in bright.items() if part.mean() > 150} == {corner}


def test_a_photo_with_broken_tags_is_read_as_it_is(tmp_path):
    for name in ("a/1.jpg", "b/1.jpg"):
        (tmp_path / name).parent.mkdir()
        Image.new("L", (8, 6), 90).save(tmp_path / name, exif=b"Exif\x00\x00MM\x00*\xff\xff")
    assert read(tmp_path).x.values.shape == (2, 6, 8, 1)


def test_grey_among_coloured(folder):
    picture(folder / "a" / "red.png", mode="RGB", value=(255, 0, 0))
    dataset = read(folder)
    assert dataset.x.values.shape == (5, 6, 8, 3)
    assert "4 grey images among coloured ones: all read as RGB" in dataset.notes


def test_unreadable_images_are_skipped(folder):
    (folder / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (folder / "b" / "cut.png").write_bytes((folder / "b" / "2.png").read_bytes()[:45])
    dataset = read(folder)
    assert len(dataset) == len(dataset.ids) == len(dataset.target) == 4
    assert dataset.notes == ("2 unreadable images skipped: 'a/broken.png', 'b/cut.png'",)


def test_prediction_takes_every_layout(folder, tmp_path):
    trained = read(folder)
    options = ReadOptions(expect=trained.source)
    flat = tmp_path / "flat"
    picture(flat / "z.png", size=(16, 12), mode="RGB", value=(9, 9, 9))
    picture(flat / "y.png", value=7)
    dataset = read(flat, options)
    assert dataset.ids == ("y.png", "z.png")
    assert dataset.target is None
    assert dataset.x.values.shape == (2, 6, 8, 1)
    assert dataset.x.values[:, 0, 0, 0].tolist() == [7, 9]
    single = read(flat / "y.png", options)
    assert single.ids == ("y.png",)
    np.testing.assert_array_equal(single.x.values[0], dataset.x.values[0])
    again = read(folder, options)
    np.testing.assert_array_equal(again.x.values, trained.x.values)


def test_parts_in_place_of_classes(folder, tmp_path):
    root = tmp_path / "both"
    shutil.copytree(folder, root / "train")
    shutil.copytree(folder, root / "test")
    command = re.escape(f"{root / 'train'} --test {root / 'test'}")
    with pytest.raises(DataError, match=f"'test', 'train', not a sub-folder .* {command}"):
        read(root)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no images"),
        ({"a/x.txt": b"text"}, "holds no images"),
        ({"x.png": None}, "have no classes"),
        ({"a/x.png": b"broken"}, "none of the 1 image files .* can be read"),
    ],
)
def test_bad_folders(tmp_path, files, message):
    root = tmp_path / "bad"
    root.mkdir()
    for name, content in files.items():
        if content is None:
            picture(root / name)
        else:
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(root)


def test_single_image_is_no_training_data(folder):
    with pytest.raises(DataError, match="is a single image"):
        read(folder / "a" / "10.png")
