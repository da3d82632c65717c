"""Names of the findings for the reader, from the lexicon that found them."""

from xray.text.lexicon import concept


def concept_name(key: str, *, language: str) -> str:
    """Name of a lexicon concept: its Chinese name (`zh`), otherwise the key in plain words."""
    known = concept(key)
    if language == "zh" and known is not None:
        return known.zh
    return key.replace("_", " ")
