"""Buckets: named objects of bytes, which exports write and imports read. They stand for S3 and hold no more than it."""

from __future__ import annotations

from typing import Any


class Buckets:
    """All buckets that an account can reach. ``written`` counts the objects put, for whoever copies them elsewhere."""

    __slots__ = ("_held", "written")

    def __init__(self) -> None:
        self._held: dict[str, dict[str, bytes]] = {}
        self.written = 0

    def make(self, bucket: str) -> None:
        """Make an empty bucket, unless it is there."""
        self._held.setdefault(bucket, {})

    def names(self) -> list[str]:
        """The names of all buckets."""
        return sorted(self._held)

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Put an object; the bucket must be there."""
        self._held[bucket][key] = data
        self.written += 1

    def get(self, bucket: str, key: str) -> bytes | None:
        """The object under a key, or None."""
        return self._held.get(bucket, {}).get(key)

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """The keys that begin with a prefix, in the order of their UTF-8 bytes."""
        found = (key for key in self._held.get(bucket, {}) if key.startswith(prefix))
        return sorted(found, key=lambda key: key.encode("utf-8", "surrogatepass"))

    def __contains__(self, bucket: str) -> bool:
        return bucket in self._held

    def copy(self) -> Buckets:
        """Independent buckets with the same objects."""
        other = Buckets()
        other._held = {bucket: dict(objects) for bucket, objects in self._held.items()}
        other.written = self.written
        return other


def buckets(rooms: dict[str, Any]) -> Buckets:
    """The buckets among an account's rooms, to be changed."""
    room = rooms.setdefault("buckets", Buckets())
    assert isinstance(room, Buckets)
    return room


def objects(rooms: dict[str, Any]) -> dict[tuple[str, str], bytes]:
    """Every object of an account's buckets by bucket and key, for looking only."""
    room = rooms.get("buckets", Buckets())
    assert isinstance(room, Buckets)
    return {(bucket, key): data for bucket, held in room._held.items() for key, data in held.items()}


def _told(what: str, status: int, code: str) -> str:
    """What S3 answered, as the service passes it on; where S3 numbers its requests there are noughts."""
    request = f"Request ID: {'0' * 16}; S3 Extended Request ID: {'0' * 75}=; Proxy: null"
    return f"{what} (Service: Amazon S3; Status Code: {status}; Error Code: {code}; {request})"


NO_SUCH_BUCKET = ("S3NoSuchBucket", _told("The specified bucket does not exist", 404, "NoSuchBucket"))
ACCESS_DENIED = ("S3AccessDenied", _told("Access Denied", 403, "AccessDenied"))


def unreachable(held: Buckets, account_id: str, bucket: str, owner: str | None) -> tuple[str, str] | None:
    """Why a bucket can't be used: failure code and message (beyond:EXP-6, IMP-4); None when it can."""
    if bucket not in held:
        return NO_SUCH_BUCKET
    return ACCESS_DENIED if owner not in (None, account_id) else None


def unusable_key(region: str, key: str | None) -> tuple[str, str] | None:
    """Why a KMS key can't protect objects: failure code and message (beyond:EXP-6); keys of the region itself can."""
    parts = (key or "").split(":")
    if parts[0] != "arn" or len(parts) < 6 or parts[3] == region:
        return None
    return "KmsNotFoundException", _told(f"Invalid arn {parts[3]}", 400, "KMS.NotFoundException")
