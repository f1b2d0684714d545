"""Compression of objects, within a bound: an object that unpacks to more than it may is as bad as a broken one."""

from __future__ import annotations

import gzip
import zlib

import zstandard

MAX_OBJECT_BYTES = 256 * 1024 * 1024
"""Bytes of the largest object, unpacked, that is read."""


class PackingError(ValueError):
    """An object that is not compressed as was said, or too large unpacked."""


def pack(data: bytes) -> bytes:
    """Data compressed with gzip, the same bytes every time."""
    return gzip.compress(data, mtime=0)


def unpack(data: bytes, compression: str) -> bytes:
    """An object's content; ``compression`` is GZIP, ZSTD or NONE. PackingError where it can't be unpacked."""
    if compression == "GZIP":
        return _gunzip(data)
    if compression == "ZSTD":
        return _unzstd(data)
    if len(data) > MAX_OBJECT_BYTES:
        raise PackingError("larger than an object may be")
    return data


def _gunzip(data: bytes) -> bytes:
    """All members of a gzip file; an empty object is none."""
    found: list[bytes] = []
    left = MAX_OBJECT_BYTES
    while data:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            part = stream.decompress(data, left + 1)
        except zlib.error as error:
            raise PackingError(str(error)) from error
        if len(part) > left or not stream.eof:
            raise PackingError("cut off, or larger than an object may be")
        found.append(part)
        left -= len(part)
        data = stream.unused_data
    return b"".join(found)


def _unzstd(data: bytes) -> bytes:
    if not data:
        return b""
    try:
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as stream:
            found: bytes = stream.read(MAX_OBJECT_BYTES + 1)
    except zstandard.ZstdError as error:
        raise PackingError(str(error)) from error
    if len(found) > MAX_OBJECT_BYTES:
        raise PackingError("larger than an object may be")
    return found
