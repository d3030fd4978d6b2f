"""Pictures as data: drawn, uploaded, in few colours; and regressions on several numbers at once."""

import io
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.metrics import mean_absolute_error, r2_score

from playground import limits
from playground.catalogue.component import members
from playground.catalogue.datasets.pictures import DrawnPicture, Picture, positions
from playground.catalogue.losses import Loss
from playground.catalogue.pictures.palette import reduced
from playground.catalogue.pictures.pixels import pixels_of
from playground.catalogue.pictures.resizing import fitted, shrunk
from playground.catalogue.tables.images import read_image
from playground.catalogue.tables.table import from_arrays, to_arrays
from playground.errors import ValidationFailed
from playground.messages.events import TaskDescription
from playground.run.validation import parse
from tests.loops import REFERENCE, change, frame, metrics, start

DRAWN = [cls.name() for cls in members(DrawnPicture)]
FLOWER = {"kind": "flower", "size": 16}


def data_of(kind, **fields) -> Any:
    return parse({"data": {"kind": kind, **fields}}).data


def encoded(image: Image.Image, form: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


# --- Drawn ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DRAWN)
def test_each_pixel_is_a_point_with_its_colour(kind):
    data = data_of(kind)
    pixels, (inputs, targets) = data.pixels({}), data.sample(0, {})
    assert targets.shape == (pixels.shape[0] * pixels.shape[1], 3)
    np.testing.assert_allclose(targets.reshape(pixels.shape), 2 * pixels - 1, atol=1e-6)
    assert np.abs(inputs).max() <= limits.HALF_SPAN
    assert targets.std() > 0.2, "there is something to see"
    task = data.task({})
    assert (task.kind, task.targets, task.target_names) == ("regression", 3, ("red", "green", "blue"))


def test_the_sides_of_a_picture_keep_their_proportion():
    assert data_of("flag").task({}).picture == (64, 43)
    inputs = positions(64, 43)
    assert inputs[0].tolist() == pytest.approx([-5.90625, 3.9375])  # top left, the middle of a pixel
    assert inputs[-1].tolist() == pytest.approx([5.90625, -3.9375])
    assert data_of("smiley", size=16).task({}).picture == (16, 16)


def test_all_pixels_are_trained_on_unless_some_are_kept_back():
    assert len(data_of("smiley").split(0, {}).test_inputs) == 0
    part = data_of("smiley", train_fraction=0.25).split(0, {})
    assert (len(part.train_inputs), len(part.test_inputs)) == (1024, 3072)


def test_a_smaller_picture_has_the_means_of_the_larger():
    whole = np.random.default_rng(0).random((6, 8, 3))
    small = shrunk(whole, 4, 3)
    np.testing.assert_allclose(small[1, 2], whole[2:4, 4:6].mean(axis=(0, 1)))
    np.testing.assert_allclose(shrunk(whole, 5, 4).mean(axis=(0, 1)), whole.mean(axis=(0, 1)))
    assert (fitted(640, 320, 64), fitted(1000, 3, 64), fitted(20, 10, 64)) == ((64, 32), (64, 1), (20, 10))


# --- Few colours ------------------------------------------------------------------------------------------


def test_a_palette_finds_the_colours_that_are_there():
    colours = np.array([[0.1, 0.1, 0.1], [0.9, 0.2, 0.2], [0.2, 0.8, 0.3]])
    pixels = colours[[0, 2, 1, 1, 0, 2, 2]]
    palette, index = reduced(pixels, 8)
    assert len(palette) == 3
    np.testing.assert_allclose(palette[index], pixels)


def test_a_palette_is_where_lloyd_stops():
    pixels = np.random.default_rng(1).random((500, 3))
    palette, index = reduced(pixels, 5)
    assert len(palette) == 5
    for k in range(5):
        np.testing.assert_allclose(pixels[index == k].mean(axis=0), palette[k], atol=0.02)


@pytest.mark.parametrize(("palette", "kind"), [(2, "binary"), (4, "multiclass"), (8, "multiclass")])
def test_in_few_colours_a_pixel_has_a_class(palette, kind):
    loop = start({"data": FLOWER | {"palette": palette}})
    task = loop.experiment.dataset.task
    assert (task.kind, task.classes, len(task.class_colours)) == (kind, palette, palette)
    assert loop.config.loss.kind == ("bce" if palette == 2 else "cross_entropy")
    assert loop.experiment.dataset.train_targets.dtype == np.int64
    assert TaskDescription.of(loop.experiment.dataset).class_colours == list(task.class_colours)


def test_one_colour_alone_is_nothing_to_tell_apart():
    table = read_image(encoded(Image.new("RGB", (8, 8), (200, 30, 30))), "red.png")
    config = {"data": {"kind": "image", "id": table.id}}
    assert parse(config, {table.id: table}).data.task({table.id: table}).kind == "regression"
    with pytest.raises(ValidationFailed, match=r"data\.palette: .*one colour"):
        parse({"data": {"kind": "image", "id": table.id, "palette": 4}}, {table.id: table})


def test_few_colours_come_and_go_live():
    loop = start({"data": FLOWER})
    loop.train(10)
    change(loop, {"data": {"palette": 4}, "loss": {"kind": "cross_entropy"}})
    loop.train(10)
    assert loop.experiment.network.layers[-1].width == 4
    change(loop, {"data": {"palette": None}, "loss": {"kind": "mse"}})
    loop.train(10)
    assert loop.experiment.network.layers[-1].width == 3
    assert (loop.state.step, frame(loop)["decision"].shape) == (30, (3, 100, 100))


# --- Uploaded ---------------------------------------------------------------------------------------------

RED = Image.new("RGB", (8, 4), (255, 0, 0))
GREY16 = Image.fromarray(np.full((8, 8), 65535 // 2, np.uint16))
HALF = Image.new("RGBA", (8, 8), (0, 0, 0, 127))


@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (RED, (255, 0, 0)),
        (RED.convert("P"), (255, 0, 0)),
        (Image.new("L", (8, 8), 90), (90, 90, 90)),
        (Image.new("1", (8, 8), 1), (255, 255, 255)),
        (Image.new("LA", (8, 8), (0, 0)), (255, 255, 255)),  # all transparent: white
        (HALF, (128, 128, 128)),
        (GREY16, (127, 127, 127)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)
def test_every_kind_of_png_is_read(image, colour):
    table = read_image(encoded(image), "image.png")
    assert table.picture == image.size
    np.testing.assert_allclose(255 * pixels_of(table)[0, 0], colour, atol=1)


def test_jpegs_in_print_colours_and_turned_by_the_camera_are_read():
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    red, green, blue = pixels_of(read_image(encoded(cyan, "JPEG"), "print.jpg"))[3, 3]
    assert red < 0.3 < green
    assert blue > 0.6
    turned = Image.new("RGB", (40, 20), (0, 0, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # lay on its side
    assert read_image(encoded(turned, "JPEG", exif=exif), "phone.jpg").picture == (20, 40)


def test_a_large_image_is_made_small_and_learned():
    ramp = np.zeros((300, 600, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, 600)
    table = read_image(encoded(Image.fromarray(ramp)), "ramp.png")
    assert (table.picture, table.rows) == ((64, 32), 2048)
    tables = {table.id: table}
    config = parse({"data": {"kind": "image", "id": table.id, "size": 16}}, tables)
    inputs, targets = config.data.sample(0, tables)
    assert len(inputs) == 16 * 8
    assert np.corrcoef(inputs[:, 0], targets[:, 0])[0, 1] > 0.999
    header, arrays = to_arrays(table)
    again = from_arrays(header, arrays)
    np.testing.assert_array_equal(pixels_of(again), pixels_of(table))
    assert read_image(encoded(Image.fromarray(ramp)), "other.png").id == table.id


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"GIF89a" + bytes(20), "image.format"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image.format"),
        (b"\x89PNG\r\n\x1a\n and no image", "image.unreadable"),
        (encoded(RED)[:45], "image.unreadable"),
        (b"\xff\xd8\xff" + bytes(100), "image.unreadable"),
        (encoded(Image.new("RGB", (8, 3))), "image.too_small"),
        (encoded(Image.new("1", (8000, 6000))), "image.too_many_pixels"),
        (encoded(Image.new("1", (20_000, 20_000))), "image.too_many_pixels"),
        (encoded(RED) + bytes(limits.IMAGE_BYTES), "image.too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refused_image_names_the_rule(content, rule):
    with pytest.raises(ValidationFailed) as refused:
        read_image(content, "mine.png")
    (error,) = refused.value.errors
    assert (error.field, error.code) == ("file", rule)
    assert "mine.png" in error.message


# --- Several numbers at once ------------------------------------------------------------------------------

TORCH = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "huber": F.huber_loss,
    "log_cosh": lambda output, target: (output - target).cosh().log().mean(),
    "quantile": lambda output, target: (output - target).abs().mean() / 2,
}


@pytest.mark.parametrize("loss", [cls for cls in members(Loss) if "regression" in cls.tasks], ids=str)
def test_a_loss_of_several_numbers_is_the_mean_over_them(loss):
    output, target = torch.randn(2, 5, 3, dtype=torch.float64), torch.randn(2, 5, 3, dtype=torch.float64)
    ours = loss().forward(output, target)
    assert ours.shape == (2, 5)
    torch.testing.assert_close(ours.mean(), TORCH[loss.name()](output, target))


def test_metrics_of_several_numbers_are_those_of_scikit_learn():
    loop = start({"data": FLOWER | {"train_fraction": 0.5}}, REFERENCE)
    loop.train(20)
    count, wanted = loop.experiment.count, loop.experiment.targets
    found = loop.measure()[1].prediction
    assert found.shape == (256, 3)
    named = metrics(loop)
    for part, rows in (("train", slice(None, count)), ("test", slice(count, None))):
        assert named[f"{part}_mae"] == pytest.approx(mean_absolute_error(wanted[rows], found[rows]), rel=1e-5)
        r2 = r2_score(wanted[rows], found[rows], multioutput="variance_weighted")
        assert named[f"{part}_r2"] == pytest.approx(r2, rel=1e-4)


def test_the_map_has_a_channel_for_each_number():
    loop = start({"data": FLOWER})
    arrays = frame(loop, 8, 32)
    assert arrays["decision"].shape == (3, 32, 32)
    assert arrays["decision_range"].tolist() == [-1, 1]
    assert "train_predictions" not in arrays


def test_every_picture_is_offered_one_level_down():
    assert {cls.group for cls in members(Picture)} == {"pictures"}


def test_a_frame_has_the_colours_that_classes_are():
    assert "palette" not in frame(start({"data": FLOWER}))
    loop = start({"data": FLOWER | {"palette": 3}})
    colours = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in frame(loop)["palette"].tolist()]
    assert colours == list(loop.experiment.dataset.task.class_colours)
