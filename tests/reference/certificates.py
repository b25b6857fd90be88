"""Keys and certificates, made with the command openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the command openssl makes the certificates"
)

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True, slots=True)
class Identity:
    """PEM files of a private key and its self-signed certificate, which is its own authority."""

    key: Path
    certificate: Path

    @property
    def pair(self) -> tuple[bytes, bytes]:
        return self.key.read_bytes(), self.certificate.read_bytes()

    def replace(self, other: Identity) -> None:
        """Take over the files of another identity, the certificate before its key."""
        for own, new in ((self.certificate, other.certificate), (self.key, other.key)):
            copy = own.with_suffix(".new")
            shutil.copy(new, copy)
            copy.rename(own)


def make_identity(
    folder: Path,
    *,
    name: str = "localhost",
    subjects: str = "DNS:localhost,IP:127.0.0.1",
    has_expired: bool = False,
) -> Identity:
    """Create the files in a new folder, for a common name and its subjectAltName."""
    folder.mkdir()
    made = Identity(folder / "key.pem", folder / "certificate.pem")
    request = folder / "request.pem"
    _openssl("req", "-new", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", made.key, "-out", request)
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName={subjects}\n")
    days = "-1" if has_expired else "1"
    sign = ("x509", "-req", "-in", request, "-signkey", made.key, "-extfile", extensions)
    _openssl(*sign, "-days", days, "-out", made.certificate)
    return made


def encrypt_key(key: Path, encrypted: Path) -> None:
    """Write a copy of the key that needs a passphrase."""
    _openssl("ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", encrypted)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
