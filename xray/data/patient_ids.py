"""Which PatientIDs (0010,0020) name a patient at all, and which only fill the field."""

import unicodedata

_NOBODY = {"anon", "anonym", "anonymous", "anonymized", "anonymised", "anonymizedpatient", "anonymouspatient"}
_NOBODY |= {"deidentified", "removed", "deleted", "hidden", "na", "nan", "nil", "no", "none", "null", "unknown"}
_NOBODY |= {"undefined", "unassigned", "empty", "patient", "patientid", "noid", "test", "default"}
_NOBODY |= {"匿名", "匿名患者", "匿名病人", "无", "無", "无名", "無名", "无名氏", "無名氏"}
_NOBODY |= {"未知", "不详", "不詳", "空"}


def real_patient_id(text: str | None) -> str | None:
    """Return `text` without surrounding blanks, or None where it names nobody: `ANONYMOUS`, `N/A`, `0`, `匿名`, empty.

    Such a placeholder stands in the films of many patients, so taking it for an id would join all of them into one.
    Case, width, blanks and punctuation make no difference; a placeholder followed by a number (`ANON-17`) is an id.
    """
    stripped = (text or "").strip()
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", stripped).casefold()))
    return None if not letters.strip("0") or not letters.strip("x") or letters in _NOBODY else stripped
