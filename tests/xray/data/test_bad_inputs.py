"""Every kind of bad file that was ever met: it ends as a film or as one refusal by name, and nobody is named.

Each case writes what a hospital's folder holds; the folder is scanned and what is left is rendered. Text in tables is
the business of the sources' own tests.
"""

import hashlib
import logging
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tests.xray.data.chest_film import CANARIES, GREY, film, texture, write_film
from tests.xray.data.film_set import write_dicomdir
from xray.data.films import check_upright, load_film
from xray.data.identity import FilmIdentity, identity_clashes
from xray.data.phantom import Style, draw, sample_studies
from xray.data.sources.film_scan import scan_films
from xray.dicom.render import RenderSettings
from xray.errors import Rejected

SETTINGS = RenderSettings(size=64)
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
NAME = "CANARY^王小明.dcm"
DEEP = np.add.outer(np.arange(80), 40 * np.arange(70)).astype(np.uint16)
Writer = Callable[[Path], object]


def single(pixels: np.ndarray = GREY, **elements: object) -> Writer:
    """One film with these elements."""
    return lambda root: write_film(root / NAME, pixels, **elements)


def raw(content: bytes | Callable[[bytes], bytes], **elements: object) -> Writer:
    """One file of these bytes, or of what is made of the bytes of a film with these elements."""

    def write(root: Path) -> None:
        good = write_film(root / NAME, **elements).read_bytes()
        (root / NAME).write_bytes(content if isinstance(content, bytes) else content(good))

    return write


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Replace bytes that are there once by as many others."""

    def swap(content: bytes) -> bytes:
        assert content.count(old) == 1
        assert len(old) == len(new)
        return content.replace(old, new)

    return swap


def deep(**elements: object) -> Writer:
    """One film of 12 bits in 16."""
    values = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "WindowCenter": 1400, "WindowWidth": 2800}
    return lambda root: _save(film(GREY, **{**values, "PixelData": DEEP.tobytes(), **elements}), root)


def compressed(frame: bytes, syntax: UID, **elements: object) -> Writer:
    """One film with a compressed frame."""
    return lambda root: _save(film(GREY, PixelData=encapsulate([frame]), **elements), root, syntax=syntax)


def several(*writers: Writer) -> Writer:
    """Several films."""
    return lambda root: [writer(root / str(number)) for number, writer in enumerate(writers)]


def packed(*members: tuple[str | zipfile.ZipInfo, bytes]) -> Writer:
    """A zip file of these members."""

    def write(root: Path) -> None:
        with zipfile.ZipFile(root / "CANARY.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content)

    return write


def _save(dataset: Dataset, root: Path, *, syntax: UID | None = None) -> None:
    root.mkdir(exist_ok=True)
    dataset["PixelData"].VR = "OB" if syntax or dataset.BitsAllocated == 8 else "OW"
    if syntax:
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset["PixelData"].is_undefined_length = syntax.is_encapsulated
    dataset.save_as(root / NAME, enforce_file_format=True)


def j2k(rows: int, columns: int) -> bytes:
    """A tiny JPEG 2000 codestream that announces another size (ISO 15444-1 A.5.1)."""
    frame = bytearray(imagecodecs.jpeg2k_encode(DEEP, level=0, codecformat="j2k"))
    place = frame.index(b"\xff\x51") + 6
    struct.pack_into(">LL", frame, place, columns, rows)
    struct.pack_into(">LL", frame, place + 16, columns, rows)
    return bytes(frame)


def nested(levels: int) -> Callable[[bytes], bytes]:
    """Put sequences inside each other before the rest of the data set, each of undefined length."""
    opened = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    closed = struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)

    def insert(content: bytes) -> bytes:
        place = content.index(struct.pack("<HH", 0x0010, 0x0010))
        return content[:place] + opened * levels + closed * levels + content[place:]

    return insert


def without_syntax(content: bytes) -> bytes:
    """Rename the element TransferSyntaxUID of the file meta information."""
    return swapped(struct.pack("<HH2s", 0x0002, 0x0010, b"UI"), struct.pack("<HH2s", 0x0002, 0x0013, b"UI"))(content)


def picture(kind: str) -> bytes:
    stream = BytesIO()
    Image.fromarray(GREY).save(stream, format=kind)
    return stream.getvalue()


def drawn(quarters: int = 0) -> np.ndarray:
    """A drawn chest film, turned to the left."""
    (study,) = sample_studies(1, seed=5, style=Style.DEMO)
    picture = (draw(study, view="frontal", style=Style.DEMO, size=256) * 255).astype(np.uint8)
    return np.ascontiguousarray(np.rot90(picture, quarters))


def photo() -> np.ndarray:
    """A coloured picture, as a telephone takes it."""
    return np.dstack([GREY, 255 - GREY, np.roll(GREY, 20, axis=0)])


def table_of(values: np.ndarray, *, bits: int, **keywords: str) -> list[Dataset]:
    """A lookup table of unsigned 16-bit words (PS3.3 C.11.1)."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(values), 0, bits])
    item.add_new("LUTData", "OW", values.astype("<u2").tobytes())
    for keyword, value in keywords.items():
        setattr(item, keyword, value)
    return [item]


RISING = np.arange(4096)
SEVEN_BITS = (GREY // 2).astype(np.uint8)
SIGNED = (DEEP.astype(np.int32) - 1400).astype(np.int16)
MADE_TO_BE_REFUSED: dict[str, tuple[Writer, str]] = {
    "a codestream of 12000 x 12000": (
        compressed(
            j2k(12000, 12000), JPEG2000Lossless, Rows=12000, Columns=12000, BitsAllocated=16, BitsStored=16, HighBit=15
        ),
        "too_large",
    ),
    "tags of 65535 x 65535": (
        compressed(
            j2k(80, 70), JPEG2000Lossless, Rows=65535, Columns=65535, BitsAllocated=16, BitsStored=16, HighBit=15
        ),
        "too_large",
    ),
    "a codestream larger than its tags": (
        compressed(j2k(9000, 9000), JPEG2000Lossless, BitsAllocated=16, BitsStored=16, HighBit=15),
        "size_mismatch",
    ),
    "a deflated black image": (
        lambda root: _save(film(np.zeros((3000, 3000), np.uint8)), root, syntax=DeflatedExplicitVRLittleEndian),
        "blank_after_voi",
    ),
    "2^31-1 frames": (single(NumberOfFrames=2**31 - 1), "multi_frame"),
    "two frames": (single(NumberOfFrames=2), "multi_frame"),
    "sequences nested 2000 deep": (raw(nested(2000)), "nested_too_deep"),
    "cut at 90 %": (raw(lambda content: content[: len(content) * 9 // 10]), "truncated"),
    "cut in the header": (raw(lambda content: content[:400]), "no_pixels"),
    "no rows": (single(Rows=0), "bad_tag"),
    "BitsStored missing": (single(BitsStored=None), "missing_tag"),
    "PixelRepresentation missing": (single(PixelRepresentation=None), "missing_tag"),
    "PhotometricInterpretation missing": (single(PhotometricInterpretation=None), "not_grey"),
    "TransferSyntaxUID missing": (raw(without_syntax), "missing_tag"),
    "no preamble": (raw(lambda content: content[132:]), "not_dicom"),
    "a data set alone": (raw(b"\x08\x00\x05\x00\x0a\x00\x00\x00ISO_IR 192"), "not_dicom"),
    "empty": (raw(b""), "empty_file"),
    "a text": (raw("姓名：王小明\n".encode()), "wrong_name"),
    "a web page": (raw(b"<!doctype html><p>CANARY"), "wrong_name"),
    "a program": (raw(b"MZ\x90\x00CANARY" + bytes(200)), "wrong_name"),
    "a program as preamble": (raw(lambda content: b"MZ" + content[2:]), "executable_preamble"),
    "a PNG": (raw(picture("PNG")), "wrong_name"),
    "a JPEG": (raw(picture("JPEG")), "wrong_name"),
    "1 bit": (single(BitsAllocated=1, BitsStored=1, HighBit=0), "unsupported_bits"),
    "32 bits": (single(BitsAllocated=32, BitsStored=32, HighBit=31), "unsupported_bits"),
    "an unknown transfer syntax": (
        raw(swapped(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0")),
        "unsupported_transfer_syntax",
    ),
    "little-endian bytes called big-endian": (
        raw(swapped(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0")),
        "no_pixels",
    ),
    "SOPInstanceUID that is a path": (single(SOPInstanceUID="../../x"), "bad_uid"),
    "StudyInstanceUID of 65 digits": (single(StudyInstanceUID="1" * 65), "bad_uid"),
    "FOR PROCESSING": (single(PresentationIntentType="FOR PROCESSING"), "for_processing"),
    "a CT": (single(Modality="CT"), "not_chest_film"),
    "a hand": (single(BodyPartExamined="HAND"), "not_chest_film"),
    "a knee without body part": (single(BodyPartExamined=None, ProtocolName="左膝正侧位"), "not_chest_film"),
    "a dog": (single(PatientSpeciesDescription="CANINE"), "not_human"),
    "names burned in": (single(BurnedInAnnotation="YES"), "burned_in_annotation"),
    "a screen shot": (single(SOPClassUID=SECONDARY_CAPTURE), "secondary_capture"),
    "a telephone's photograph": (single(photo(), SOPClassUID=SECONDARY_CAPTURE), "secondary_capture"),
    "a photograph that says it is a film": (single(photo()), "not_grey"),
    "a constant image": (single(np.full((80, 70), 17)), "blank_after_voi"),
    "nothing but padding": (single(np.zeros((80, 70)), PixelPaddingValue=0), "all_padding"),
    "two polarities": (single(PresentationLUTShape="INVERSE"), "polarity_conflict"),
    "turned by its header": (single(PatientOrientation=["F", "R"]), "turned_film"),
    "mirrored by its header": (single(PatientOrientation=["R", "F"]), "turned_film"),
    "turned by 90 degrees, and no header says so": (single(drawn(1)), "turned_film"),
    "upside down, and no header says so": (single(drawn(2)), "turned_film"),
    "63 rows": (single(GREY[:63]), "too_small"),
    "a zip that climbs out": (packed(("../CANARY.dcm", b"film")), "archive_path"),
    "a zip with an absolute path": (packed(("/tmp/CANARY.dcm", b"film")), "archive_path"),
    "a zip in a zip": (packed(("CANARY.zip", b"PK\x03\x04")), "archive_bomb"),
    "a zip bomb": (packed(("CANARY.dcm", bytes(70 << 20))), "archive_bomb"),
    "a zip that is none": (lambda root: (root / "CANARY.zip").write_bytes(b"CANARY"), "archive_corrupt"),
    "an index that leads outside": (lambda root: write_dicomdir(root, ["..", "CANARY"]), "dicomdir_outside"),
    "one number for two images": (several(single(texture(1)), single(texture(2))), "duplicate_uid"),
    "one study for two patients": (
        several(single(texture(1)), single(texture(2), PatientID="CANARY-8", SOPInstanceUID="1.2.3")),
        "several_patients",
    ),
    "one image for two patients": (
        several(single(), single(PatientID="CANARY-8", SOPInstanceUID="1.2.3", StudyInstanceUID="1.2.4")),
        "image_of_two_patients",
    ),
}
MADE_TO_BE_SHOWN: dict[str, Writer] = {
    "a drawn film": single(drawn()),
    "a frontal film that is called lateral": single(drawn(), ViewPosition="LL"),
    "sequences nested 50 deep": raw(nested(50)),
    "5000 bytes too many": raw(lambda content: content + bytes(5000)),
    "a polarity in small letters": single(PhotometricInterpretation="monochrome1 "),
    "a window that is no number": raw(swapped(b"127.50", b"20a8  "), WindowCenter="127.50", WindowWidth=255),
    "an empty window width": deep(WindowWidth=None),
    "two centres and one width": deep(WindowCenter=[1400, 1000], WindowWidth=[2800]),
    "a window width of 0": deep(WindowWidth=0),
    "a negative window width": deep(WindowWidth=-10),
    "HighBit 15 with 12 bits": deep(HighBit=15),
    "a negative slope": deep(RescaleSlope=-1, RescaleIntercept=2800, WindowCenter=1400),
    "a slope of 0": deep(RescaleSlope=0, RescaleIntercept=0),
    "a modality table of 12 bits": deep(
        ModalityLUTSequence=table_of(RISING, bits=12, ModalityLUTType="US"), WindowCenter=None, WindowWidth=None
    ),
    "a table of 12 bits that says 16": deep(VOILUTSequence=table_of(RISING, bits=16)),
    "padding in the wrong order": deep(PixelPaddingValue=40, PixelPaddingRangeLimit=0),
    "a shutter": single(
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=5,
        ShutterRightVerticalEdge=65,
        ShutterUpperHorizontalEdge=5,
        ShutterLowerHorizontalEdge=75,
    ),
    "pixels of 1 to 2": single(ImagerPixelSpacing=None, PixelAspectRatio=[1, 2]),
    "JPEG-LS of 7 bits": compressed(imagecodecs.jpegls_encode(SEVEN_BITS), JPEGLSLossless, BitsStored=7, HighBit=6),
    "signed JPEG-LS": compressed(
        imagecodecs.jpegls_encode(SIGNED.view(np.uint16)),
        JPEGLSLossless,
        BitsAllocated=16,
        BitsStored=16,
        HighBit=15,
        PixelRepresentation=1,
    ),
    "signed JPEG 2000": compressed(
        imagecodecs.jpeg2k_encode(SIGNED, level=0, codecformat="j2k"),
        JPEG2000Lossless,
        BitsAllocated=16,
        BitsStored=16,
        HighBit=15,
        PixelRepresentation=1,
    ),
    "a grey JPEG": compressed(imagecodecs.jpeg8_encode(GREY, level=95), JPEGBaseline8Bit),
    "RLE": lambda root: _save(_rle(), root, syntax=RLELossless),
    "a film in a zip with a Chinese name": lambda root: _zip_a_film(root),
}


def _rle() -> Dataset:
    dataset = film()
    dataset.compress(RLELossless, generate_instance_uid=False)
    return dataset


def _zip_a_film(root: Path) -> None:
    path = write_film(root / NAME)
    with zipfile.ZipFile(root / "a.zip", "w") as archive:
        archive.write(path, "王某/胸片.dcm")
    path.unlink()


def outcome(root: Path, *, scratch: Path) -> tuple[list[str], list[str]]:
    """The codes of all refusals, sorted, and everything that may be printed or logged of them."""
    folder = scan_films(root, scratch=scratch)
    found = [(refusal.code, refusal.why) for refusal in folder.refusals if refusal.kind == "refused"]
    films = []
    for header in folder.headers:
        try:
            shown = load_film(header.path, settings=SETTINGS)
            check_upright(shown)
        except Rejected as rejected:
            found.append((rejected.code, rejected.why))
            continue
        assert shown.pixels.std() > 2
        identity = {"study_uid": header.study_uid, "sop_instance_uid": header.sop_instance_uid}
        films.append(
            FilmIdentity(
                path=header.path,
                patient_id=header.patient_id,
                pixels_sha256=hashlib.sha256(shown.pixels.tobytes()).hexdigest(),
                **identity,
            )
        )
    clashes = identity_clashes(films)
    found += [(clash.code, clash.why) for clash in clashes]
    codes = [code for code, _ in found] + ["shown"] * (len(films) - len(clashes))
    said = [why for _, why in found] + [repr(folder.refusals), repr(folder.notes), repr(clashes)]
    return sorted(set(codes)), said


pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom warns of what the cases write on purpose


@pytest.mark.parametrize("case", MADE_TO_BE_REFUSED)
def test_a_bad_file_is_refused_by_name_and_names_nobody(
    case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    write, code = MADE_TO_BE_REFUSED[case]
    (tmp_path / "films").mkdir()
    write(tmp_path / "films")
    codes, said = outcome(tmp_path / "films", scratch=tmp_path / "scratch")
    assert codes == [code]
    printed = "\n".join([*said, caplog.text, *capfd.readouterr()])
    for canary in (*CANARIES, str(tmp_path)):
        assert canary not in printed


@pytest.mark.parametrize("case", MADE_TO_BE_SHOWN)
def test_a_file_that_only_looks_bad_is_shown(case: str, tmp_path: Path):
    (tmp_path / "films").mkdir()
    MADE_TO_BE_SHOWN[case](tmp_path / "films")
    assert outcome(tmp_path / "films", scratch=tmp_path / "scratch")[0] == ["shown"]
