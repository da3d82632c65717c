"""What belongs into a data set of chest films, decided from the header alone."""

import re

from xray.data.film_header import FilmHeader
from xray.errors import Rejected

_CHEST_MODALITIES = {"CR", "DX", "RG"}
_MIN_SIDE = 64
_CHEST = re.compile(
    r"CHEST|THORA(?!KOLUM|CIC[ -]?(SPINE|LUMB|VERT)|CIC[ -]?COLUMN|COLUM)|TORA[CX](?!ICA)|LUNG|PULM"
    r"|胸(?![椎腰骨锁鎖])|肺|흉부"
)
# Parts of the body that a description may name. A word of one character is only taken with its neighbours, because
# 手术 is an operation, 手动 a manual exposure and 腹卧位 a way to lie.
_OTHER_PART = re.compile(
    r"ABDOM|\bKUB\b|PELVI|BECKEN|\bHANDS?\b|\bFINGER|\bTHUMB|WRIST|ELBOW|SHOULDER|HUMERUS|FOREARM|CLAVIC|SCAPULA"
    r"|\bHIPS?\b|FEMUR|KNEE|TIBIA|FIBULA|ANKLE|\bFOOT|\bFEET|\bTOES?\b|CALCAN|PATELLA|EXTREMIT"
    r"|SKULL|SINUS(?!ITIS)|ORBIT|MANDIB|\bDENTAL|SPINE|CERVIC|LUMBAR|SACR|COCCY|STERNUM|SCOLIO|MAMMO|\bBREAST"
    r"|腹部|腹平片|腹片|立位腹|卧位腹|臥位腹|[左右双雙两兩][手足肩膝腕肘踝髋髖]|手(部|指|掌|正|腕|骨|斜)"
    r"|膝|髋|髖|骨盆|盆腔|踝|肘|腕关节|腕關節|肩关节|肩關節|肩胛|锁骨|鎖骨|股骨|胫|脛|腓骨|肱骨|尺桡|足(部|正|骨|趾|跟)|跟骨"
    r"|颅|顱|头部|頭部|头颅|鼻窦|鼻竇|鼻骨|颈椎|頸椎|胸椎|腰椎|腰骶|骶|尾骨|脊柱|胸骨|乳腺|牙|颌|頜"
)


def check_chest_film(header: FilmHeader) -> None:
    """Refuse what does not belong into a chest data set. PNG and JPEG are only checked for their size.

    Raises Rejected: `too_small`; `bad_uid` (a UID that is none); `not_human` (a species, a breed or an owner is named);
    `not_chest_film` (a modality other than CR, DX, RG; another part of the body by BodyPartExamined or by the
    descriptions, since devices keep CHEST from one patient to the next); `secondary_capture`; `for_processing` (raw
    detector data); `burned_in_annotation` and `recognizable_features` (the header says that the picture itself names
    the patient); `turned_film` (the header says that the film is mirrored or not upright, so left and right would be
    named wrongly).
    """
    if min(header.rows, header.columns) < _MIN_SIDE:
        raise Rejected("too_small", f"The film is {header.rows} x {header.columns} pixels; {_MIN_SIDE} are needed.")
    if not header.is_dicom:
        return
    if header.illegal_uids:
        why = f"{' and '.join(header.illegal_uids)} hold no UID (digits and dots, 64 at most). Export the film again."
        raise Rejected("bad_uid", why)
    if header.not_human:
        raise Rejected("not_human", "The header names an animal: a species, a breed or an owner. Take the film out.")
    _check_part(header)
    _check_picture(header)
    if _is_turned(header):
        raise Rejected("turned_film", "PatientOrientation says mirrored or not upright. Export it upright, as L and F.")


def _check_part(header: FilmHeader) -> None:
    if header.secondary_capture and header.modality == "OT":
        raise Rejected("secondary_capture", "Modality OT is a picture of anything. Export the film as CR or DX.")
    if header.modality not in _CHEST_MODALITIES:
        raise Rejected("not_chest_film", "The modality is not CR, DX or RG.")
    if header.body_part and not _CHEST.search(header.body_part):
        raise Rejected("not_chest_film", "BodyPartExamined is not the chest.")
    for words in (header.series_words, header.study_words):  # a study of chest and abdomen has series of either
        if _CHEST.search(words):
            return
        if _OTHER_PART.search(words):
            raise Rejected("not_chest_film", "The description of the series or study names another part of the body.")


def _check_picture(header: FilmHeader) -> None:
    if header.presentation_intent == "FOR PROCESSING":
        raise Rejected("for_processing", "Raw detector data. Export the image that is FOR PRESENTATION.")
    if header.burned_in_annotation:
        raise Rejected("burned_in_annotation", "The header says that text is burned into the picture. De-identify it.")
    if header.recognizable_features:
        raise Rejected("recognizable_features", "The header says that the patient can be recognised in the picture.")
    if header.secondary_capture and header.burned_in_annotation is None:
        raise Rejected(
            "secondary_capture",
            "A secondary capture, which often shows the patient's name. Export the original film, or look at the "
            "picture and state BurnedInAnnotation NO.",
        )


def _is_turned(header: FilmHeader) -> bool:
    """Whether a film that is frontal, or whose view nobody states and which lies in that plane, is not upright.

    The first letter is the main direction; a lateral film runs to A or P, and both are usual.
    """
    if header.patient_orientation is None:
        return False
    main = tuple(direction[0] for direction in header.patient_orientation)
    in_plane = header.view == "frontal" or (header.view == "unknown" and set(main) <= set("LRHF"))
    return in_plane and main != ("L", "F")
