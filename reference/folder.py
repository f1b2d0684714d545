"""Buckets kept in a folder: each folder in it is a bucket. The one place besides the server that touches files."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

from reference.account import Account
from reference.answering import Answering
from reference.api import Call, Reply
from reference.lifecycle import settle
from reference.transfer.buckets import buckets

USERS = frozenset({"ExportTableToPointInTime", "ImportTable", "StartBulkPutItems"})
"""The operations that name a bucket."""

_WRITTEN = {"": "%", ".": "%2E", "..": "%2E%2E"}
"""Parts of keys that are no names of files, and how they are written."""
_READ = {written: part for part, written in _WRITTEN.items()}


class FolderBuckets:
    """A service whose buckets are the folders in ``root``.

    Objects are read before a call that names a bucket, and what exports wrote is stored after the call. ``warn`` is
    told of files that can't be read or written; the calls are answered all the same.
    """

    def __init__(self, service: Answering, account: Account, root: Path, warn: Callable[[str], None]) -> None:
        self.service = service
        self.account = account
        self.root = root
        self._warn = warn
        self._stored: dict[tuple[str, str], bytes] = {}
        self._seen = 0

    def operations(self) -> Collection[str]:
        """The names of all operations that are modelled."""
        return self.service.operations()

    def execute(self, call: Call) -> Reply:
        """Answer one call."""
        if call.operation in USERS:
            self.load()
        reply = self.service.execute(call)
        if call.operation in USERS:
            settle(self.account)
        self.store()
        return reply

    def load(self) -> None:
        """Make the buckets and take over their files."""
        held = buckets(self.account.rooms)
        for bucket in sorted(each for each in self.root.iterdir() if each.is_dir()):
            held.make(bucket.name)
            for folder, _, names in os.walk(bucket):
                for name in names:
                    self._take(bucket.name, bucket, Path(folder) / name)
        self._seen = held.written

    def _take(self, bucket: str, base: Path, file: Path) -> None:
        key = "/".join(_READ.get(part, part) for part in file.relative_to(base).parts)
        try:
            data = file.read_bytes()
        except OSError as error:
            self._warn(f"cannot read {file}: {error}")
            return
        if self._stored.get((bucket, key)) != data:
            buckets(self.account.rooms).put(bucket, key, data)
            self._stored[bucket, key] = data

    def store(self) -> None:
        """Write the objects that are new or have changed."""
        held = buckets(self.account.rooms)
        if held.written == self._seen:
            return
        self._seen = held.written
        for bucket in held.names():
            for key in held.keys(bucket):
                data = held.get(bucket, key)
                if data is not None and self._stored.get((bucket, key)) != data:
                    self._stored[bucket, key] = data
                    self._write(bucket, key, data)

    def _write(self, bucket: str, key: str, data: bytes) -> None:
        file = self.root.joinpath(bucket, *(_WRITTEN.get(part, part) for part in key.split("/")))
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        except (OSError, ValueError) as error:
            self._warn(f"cannot write {file}: {error}")
