"""Signatures of result folders: Ed25519 over the bytes of the manifest, which lists the digest of every file.

The keys are PEM files, as ``openssl genpkey -algorithm ed25519`` writes them. The signature is in ``manifest.sig``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from pathlib import Path

from lzgis.errors import ConfigError, ExportError
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.files.manifest import MANIFEST, SIGNATURE, open_regular, read_manifest
from lzgis.messages import Message, library_message

_PREFIX = b"lzgis manifest signature 1\n"
_MOST_BYTES = 65_536


def sign(folder: str | Path, key: str | Path) -> Path:
    """Sign the manifest of a result folder, and return the path of the signature.

    Parameters
    ----------
    folder : path
        The folder of results.
    key : path
        The office's private key, Ed25519 in a PEM file without a password.

    Raises
    ------
    ExportError
        If the folder holds no result, or the signature cannot be written.
    ConfigError
        If the key cannot be read.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    folder = Path(folder)
    private = _loaded(Path(key), lambda data: load_pem_private_key(data, password=None))
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigError(
            str(key),
            Message("is no key of the kind that is needed"),
            Message("a public key cannot sign; give the private key of Ed25519"),
        )
    manifest = read_manifest(folder) if folder.is_dir() else None
    if manifest is None:
        what = Message("holds no result of lzgis")
        raise ExportError(str(folder), what, Message("name the folder that was given with --out"))
    if manifest.sha256 != manifest.digest:
        what = Message("does not fit its own digest, and is not signed")
        raise ExportError(str(folder / MANIFEST), what, Message("screen again, or ask for the folder again"))
    signature = private.sign(_PREFIX + _manifest_bytes(folder))
    path = folder / SIGNATURE
    write_bytes_atomic(path, base64.b64encode(signature) + b"\n")
    return path


def check_signature(folder: Path, key: Path) -> str:
    """Return whether the signature of a folder fits its manifest and a public key: ``same``, ``changed`` or ``missing``.

    Raises
    ------
    ConfigError
        If the key cannot be read.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    public = _loaded(key, load_pem_public_key)
    if not isinstance(public, Ed25519PublicKey):
        raise ConfigError(
            str(key), Message("is no key of the kind that is needed"), Message("give the public key of Ed25519")
        )
    path = folder / SIGNATURE
    if not path.is_symlink() and not path.exists():
        return "missing"
    try:
        with open_regular(path) as file:
            signature = base64.b64decode(file.read(_MOST_BYTES).strip(), validate=True)
        public.verify(signature, _PREFIX + _manifest_bytes(folder))
    except (OSError, binascii.Error, ValueError, InvalidSignature):
        return "changed"
    return "same"


def _manifest_bytes(folder: Path) -> bytes:
    with open_regular(folder / MANIFEST) as file:
        return file.read()


def _loaded(path: Path, load: Callable[[bytes], object]) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
        return load(data)
    except OSError as error:
        what = Message("the file cannot be read ({why})", why=library_message(error))
        raise ConfigError(str(path), what, Message("check its permissions")) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        remedy = Message("make one with: {command}", command="openssl genpkey -algorithm ed25519 -out office.pem")
        raise ConfigError(str(path), Message("is no key of the kind that is needed"), remedy) from error
