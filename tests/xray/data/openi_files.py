"""OpenI's files with invented content: XML reports and captions as the collection writes them."""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def xml_report(study: int, films: Sequence[str], **sections: str) -> bytes:
    """One `<n>.xml` with the given sections (`findings=...`) and films."""
    texts = "".join(
        f'<AbstractText Label="{label.upper()}">{sections.get(label, "")}</AbstractText>'
        for label in ("comparison", "indication", "findings", "impression")
    )
    images = "".join(
        f'<parentImage id="{film}"><figureId>F1</figureId><caption>x</caption></parentImage>' for film in films
    )
    article = f"<MedlineCitation><Article><Abstract>{texts}</Abstract></Article></MedlineCitation>"
    return f'<?xml version="1.0"?><eCitation><uId id="CXR{study}"/>{article}{images}</eCitation>'.encode()


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def write_archive(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write a `.tgz` as the collection is published: one folder of XML files."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"ecgen-radiology/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_captions(path: Path, captions: Mapping[str, str]) -> Path:
    """Write captions by image id in XrayGLM's format."""
    entries = [{"image_id": image_id, "caption": caption} for image_id, caption in captions.items()]
    path.write_text(json.dumps({"annotations": entries}, ensure_ascii=False), encoding="utf-8")
    return path
