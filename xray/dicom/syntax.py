"""Transfer syntaxes (PS3.5 section 10, PS3.6 Annex A): which are decoded here, and how the others are called."""

from pydicom import uid
from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset

from xray.dicom import tags
from xray.errors import Rejected

NATIVE = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)
RLE = (uid.RLELossless,)
JPEG = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1)
JPEG_LS = (uid.JPEGLSLossless, uid.JPEGLSNearLossless)
JPEG_2000 = (uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K)
_NEWER = {  # than the dictionary of pydicom
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.10008.1.2.7.1": "SMPTE ST 2110-20 Uncompressed Progressive Active Video",
    "1.2.840.10008.1.2.7.2": "SMPTE ST 2110-20 Uncompressed Interlaced Active Video",
    "1.2.840.10008.1.2.7.3": "SMPTE ST 2110-30 PCM Digital Audio",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
}


def transfer_syntax(dataset: Dataset) -> uid.UID:
    """Return the transfer syntax of a data set read from a file.

    Raises Rejected: `missing_tag` when there is none, `unsupported_transfer_syntax` with its name when no decoder fits.
    """
    found = tags.text(getattr(dataset, "file_meta", Dataset()), "TransferSyntaxUID")
    if found is None:
        raise Rejected("missing_tag", "TransferSyntaxUID is missing, so the encoding of the pixels is unknown.")
    with tags.guarded("unsupported_transfer_syntax", "TransferSyntaxUID is no UID."):
        syntax = uid.UID(found)
    if syntax not in (*NATIVE, *RLE, *JPEG, *JPEG_LS, *JPEG_2000):
        why = f"Transfer syntax {_name(syntax)} is not supported. Export the film uncompressed."
        raise Rejected("unsupported_transfer_syntax", why)
    return syntax


def _name(syntax: uid.UID) -> str:
    """Return a name of the standard; an identifier that the standard does not list may name a person."""
    if syntax in _NEWER:
        return _NEWER[syntax]
    if syntax in UID_dictionary and syntax.is_transfer_syntax:
        return str(syntax.name)
    return "that the standard does not list" if syntax.is_valid else "with no valid UID"
