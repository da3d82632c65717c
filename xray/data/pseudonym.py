"""Keyed pseudonyms: the same patient gets the same name in every data set of one site, and nobody else can compute it.

HMAC-SHA256 (RFC 2104) of the id under the site's secret key, shortened to 16 hex digits. A plain hash would not do: a
hospital number has so few possible values that all of them can be tried.
"""

import hashlib
import hmac
import os
import uuid
from dataclasses import dataclass, field

from xray.errors import ConfigError

SITE_KEY_VARIABLE = "XRAY_SITE_KEY"
_PUBLIC_KEY = "xray-report-kit: public default key"
_MOST_DAYS = 3652  # ten years
_SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonyms:
    """Pseudonyms under one key. `is_secret` is False for the built-in key, which suits public data only."""

    key: str = field(repr=False)
    is_secret: bool

    @classmethod
    def of_site(cls) -> "Pseudonyms":
        """Use the key in the environment variable XRAY_SITE_KEY, or else the built-in one.

        Raises ConfigError for a key so short that all such keys can be tried.
        """
        key = os.environ.get(SITE_KEY_VARIABLE, "")
        if 0 < len(key) < _SHORTEST_KEY:
            raise ConfigError(
                f"{SITE_KEY_VARIABLE} has {len(key)} characters, and {_SHORTEST_KEY} are needed: shorter keys can be "
                "tried out. Make one with `openssl rand -hex 32`, and keep it: the same key gives the same pseudonyms."
            )
        return cls(key=key or _PUBLIC_KEY, is_secret=bool(key))

    @property
    def fingerprint(self) -> str:
        """What tells one key from another without saying anything of it, 16 hex digits."""
        return self._digest("key", "").hex()[:16]

    def patient(self, patient_id: str) -> str:
        """Pseudonym of a PatientID (0010,0020), 16 hex digits."""
        return self._digest("patient", patient_id.strip()).hex()[:16]

    def study(self, study_uid: str) -> str:
        """Pseudonym of a StudyInstanceUID (0020,000D) or another study id, 16 hex digits."""
        return self._digest("study", study_uid.strip()).hex()[:16]

    def place(self, where: str) -> str:
        """Pseudonym of a path or id in a list of refusals, 16 hex digits."""
        return self._digest("place", where).hex()[:16]

    def uid(self, uid: str) -> str:
        """Pseudonym of a study's, series' or instance's UID, itself a UID: `2.25.` and a UUID of version 8 as a number.

        Source: PS3.5 B.2 (UUID derived UIDs), RFC 9562 5.8.
        """
        digest = bytearray(self._digest("uid", uid.strip())[:16])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return f"2.25.{uuid.UUID(bytes=bytes(digest)).int}"

    def days_back(self, patient_id: str) -> int:
        """By how many days all dates of a patient are moved into the past, 1 to 3652: the spans between them stay.

        Source: PS3.15 E.3.6, Retain Longitudinal Temporal Information with Modified Dates.
        """
        return 1 + int.from_bytes(self._digest("days", patient_id.strip())) % _MOST_DAYS

    def _digest(self, kind: str, value: str) -> bytes:
        return hmac.new(_bytes(self.key), _bytes(f"{kind}\0{value}"), hashlib.sha256).digest()


def example_id(study_uid: str) -> str:
    """Id of the example made of a study, 16 hex digits; `study_uid` is already a pseudonym."""
    return hashlib.sha256(f"example\0{study_uid}".encode()).hexdigest()[:16]


def _bytes(text: str) -> bytes:
    """Encode what may be a file name or an environment variable, whose bytes need not be UTF-8 (PEP 383)."""
    return text.encode("utf-8", "surrogateescape")
