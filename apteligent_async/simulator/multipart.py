"""Reads the text fields of a multipart form: one of the encodings in which clients sent token requests."""

from __future__ import annotations

from email import policy
from email.parser import BytesParser

__all__ = ["form_fields"]


def form_fields(content_type: str, body: bytes) -> dict[str, str]:
    """Return the named text fields; parts without a name are passed over."""
    message = BytesParser(policy=policy.HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    fields: dict[str, str] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = content.decode("utf-8", "replace")
    return fields
