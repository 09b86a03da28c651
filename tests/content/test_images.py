"""Pictures of other sizes: what is cut off, which way is up, and what is not in them any more."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageFile, ImageOps, PngImagePlugin

from content.images import BROKEN, LARGEST, MIMES, Made, header, resized
from tests.content.pictures import opened, picture

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "picture"


def made(file: Path, data: bytes, width: int, height: int) -> Made:
    file.write_bytes(data)
    return resized(file, width, height)


def colours(data: bytes) -> list[tuple[int, ...]]:
    """Of the middle of each edge: left, right, top, bottom."""
    image = opened(data).convert("RGB")
    w, h = image.size
    found = [image.getpixel(at) for at in ((1, h // 2), (w - 2, h // 2), (w // 4, 1), (w // 4, h - 2))]
    return [tuple(255 if part > 127 else 0 for part in pixel) for pixel in found if isinstance(pixel, tuple)]


@pytest.mark.parametrize(
    ("size", "box", "result"),
    [
        ((600, 400), (60, 40), (60, 40)),
        ((600, 400), (50, 50), (50, 50)),
        ((600, 400), (20, 100), (20, 100)),
        ((600, 400), (4096, 1), (600, 1)),
        ((60, 40), (600, 400), (60, 40)),  # never enlarged
        ((60, 40), (100, 100), (40, 40)),
        ((1, 1), (4096, 4096), (1, 1)),
        ((3000, 1), (1, 4096), (1, 1)),
    ],
)
def test_it_is_cropped_to_the_ratio_and_scaled_down(
    file: Path, size: tuple[int, int], box: tuple[int, int], result: tuple[int, int]
) -> None:
    picture_made = made(file, picture(*size), *box)

    assert (picture_made.width, picture_made.height) == opened(picture_made.data).size == result


def test_it_is_cropped_about_the_centre(file: Path) -> None:
    assert colours(made(file, picture(600, 100), 50, 100).data)[:2] == [RED, BLUE]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_stands_upright(file: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = picture(600, 400, "JPEG", exif=exif)
    upright = BytesIO()
    ImageOps.exif_transpose(opened(data)).save(upright, "PNG")
    turned = made(file, data, 60, 60)

    assert colours(turned.data) == colours(upright.getvalue())
    assert 0x0112 not in opened(turned.data).getexif()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_its_size_is_that_of_the_upright_picture(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    assert header(BytesIO(picture(60, 40, format, exif=exif))) == (MIMES[format], 40, 60)


@pytest.mark.parametrize("format", list(MIMES))
def test_no_pixel_is_decoded_to_know_the_size(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data, decoded = picture(60, 40, format), list[str]()
    for kind in (ImageFile.ImageFile, PngImagePlugin.PngImageFile):
        monkeypatch.setattr(kind, "load", lambda image: decoded.append(image.format))

    assert header(BytesIO(data)) == (MIMES[format], 60, 40)
    assert decoded == []


def test_metadata_that_is_broken_does_not_break_the_picture(file: Path) -> None:
    data = picture(60, 40, exif=b"II\x2b\0\0\0\0\0")

    assert header(BytesIO(data)) == ("image/png", 60, 40)
    assert made(file, data, 30, 20).width == 30


@pytest.mark.parametrize("error", [RuntimeError("as libavif says it"), Exception("as nobody expects it")])
def test_whatever_a_decoder_says_it_is_no_picture(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", fail)

    assert header(BytesIO(b"")) is None


def test_nothing_of_where_and_by_whom_stays(file: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    told = PngImagePlugin.PngInfo()
    told.add_text("Author", "SECRET-PLACE")
    png = picture(80, 80, "PNG", pnginfo=told, exif=exif)
    jpeg = picture(80, 80, "JPEG", exif=exif, comment=b"SECRET-PLACE")
    webp = picture(80, 80, "WEBP", exif=exif, xmp=b"SECRET-PLACE")

    for data in (png, jpeg, webp):
        assert b"SECRET-PLACE" in data
        assert b"SECRET-PLACE" not in made(file, data, 40, 40).data


@pytest.mark.parametrize(
    ("format", "mime"),
    [("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "png"), ("WEBP", "webp"), ("AVIF", "webp"), ("BMP", "png")],
)
def test_what_it_is_made_as(file: Path, format: str, mime: str) -> None:
    picture_made = made(file, picture(80, 80, format), 40, 40)

    assert picture_made.mime == f"image/{mime}"
    assert opened(picture_made.data).format == mime.upper()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA", "CMYK", "I;16"])
def test_every_mode_can_be_scaled(file: Path, mode: str) -> None:
    image = Image.new("RGB", (80, 80), "red").convert(mode if mode != "I;16" else "L")
    data = BytesIO()
    (image.convert("I;16") if mode == "I;16" else image).save(data, "JPEG" if mode == "CMYK" else "PNG")

    assert opened(made(file, data.getvalue(), 40, 40).data).size == (40, 40)


def test_what_can_be_seen_through_stays_so(file: Path) -> None:
    clear = opened(made(file, picture(80, 80, mode="RGBA"), 40, 40).data)
    palette = Image.new("P", (80, 80), 0)
    data = BytesIO()
    palette.save(data, "GIF", transparency=0)

    assert clear.mode == "RGBA"
    assert opened(made(file, data.getvalue(), 40, 40).data).convert("RGBA").getpixel((5, 5)) == (0, 0, 0, 0)


def test_no_profile_stays_and_a_broken_one_does_no_harm(file: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    with_profile = picture(80, 80, "JPEG", icc_profile=srgb.tobytes())
    broken = picture(80, 80, "JPEG", icc_profile=b"no profile")

    for data in (with_profile, broken):
        image = opened(made(file, data, 40, 40).data)
        assert "icc_profile" not in image.info
        assert image.mode == "RGB"


def test_of_a_film_the_first_picture_is_taken(file: Path) -> None:
    first, second = Image.new("RGB", (80, 80), "red"), Image.new("RGB", (80, 80), "blue")
    data = BytesIO()
    first.save(data, "GIF", save_all=True, append_images=[second])

    assert set(colours(made(file, data.getvalue(), 40, 40).data)) == {RED}


@pytest.mark.parametrize("data", [b"", b"text", picture(80, 80, "JPEG")[:400], picture(80, 80)[:60]])
def test_what_is_broken_is_refused_in_one_of_the_known_ways(file: Path, data: bytes) -> None:
    with pytest.raises(BROKEN):
        made(file, data, 40, 40)


def test_the_largest_box_is_within_what_formats_can_hold() -> None:
    assert LARGEST <= 16_383  # WebP
