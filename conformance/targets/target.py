"""A target opened for a run: its transport, its process where we started it, and what it claims."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import reference
from conformance.program import BUCKET
from conformance.targets.catalogue import Entry, find
from conformance.targets.costs import Meter
from conformance.targets.guarded import GuardedTransport, account_of
from conformance.targets.inprocess import ReferenceTransport, WsgiTransport, moto_application
from conformance.targets.install import install, located
from conformance.targets.ledger import Place, TableLedger
from conformance.targets.process import Command, Process, fill
from conformance.targets.profile import Profile
from conformance.targets.signing import FAKE, Credentials
from conformance.targets.transport import HttpTransport, Transport
from reference.api import Call, Success

DEFAULT_REGION = "us-east-1"
MAX_COST = 1.0
"""USD that a run may cost where nothing else was said."""
PROBE_LIMIT = 2.0
"""Seconds in which a starting server must answer one ListTables."""
_ROOT = Path(reference.__file__).parents[1]
_AWS = re.compile(r"(?:^|\.)(?:amazonaws\.com(?:\.cn)?|api\.aws|amazonaws\.eu)$")


class TargetError(Exception):
    """A target that can't or must not be used; the message says what was wrong, the value, and what to do."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the user allows beyond loopback, and how to get in.

    ``credentials`` are used wherever they are given; otherwise loopback gets fake ones and any other host those of
    boto3's chain. ``allow_hosts`` are names or addresses without a port. With ``allow_aws`` an endpoint is taken for
    one that is paid for: its account must be ``account_id``, and at most ``max_cost`` USD are spent. ``ledger`` is the
    file that lists the tables made on an endpoint which somebody else runs.
    """

    allow_hosts: Collection[str] = ()
    allow_aws: bool = False
    account_id: str | None = None
    region: str | None = None
    credentials: Credentials | None = None
    ca_file: str | None = None
    insecure: bool = False
    max_cost: float = MAX_COST
    ledger: Path | None = None


@dataclass(slots=True)
class Target:
    """What is tested. ``process`` is None for an endpoint that somebody else runs, or one inside this process.

    ``scratch`` is a temporary folder that goes when the target is closed.
    """

    name: str
    version: str
    endpoint: str
    transport: Transport
    profile: Profile
    region: str = DEFAULT_REGION
    entry: Entry | None = None
    process: Process | None = None
    persists: bool = False
    scratch: Path | None = None

    def connect(self) -> Transport:
        """A transport of its own to the same target, for a client that must not share connections."""
        if isinstance(self.transport, HttpTransport | GuardedTransport):
            return self.transport.clone()
        return self.transport

    @property
    def guard(self) -> GuardedTransport | None:
        """What watches over an endpoint that somebody else runs."""
        return self.transport if isinstance(self.transport, GuardedTransport) else None

    @property
    def paid(self) -> bool:
        """Whether what is done here is paid for."""
        return self.guard is not None and self.guard.meter is not None

    def alive(self) -> bool:
        """Whether it answers ListTables now."""
        return answers(self.transport)

    def close(self) -> None:
        """Let go of connections and end the process that was started for it."""
        self.transport.close()
        if self.process is not None:
            self.process.stop()
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_target(
    spec: str,
    *,
    run_dir: Path | None = None,
    worker: str = "",
    access: Access | None = None,
    persist: bool = False,
    profile: Profile | None = None,
) -> Target:
    """Open a target by catalogue name (``moto``), in-process variant (``moto:inprocess``) or URL.

    A named one is installed if need be, started on a free loopback port with its data and log in
    ``run_dir/NAME[-worker]``, and answers when this returns. ``persist`` keeps its data on disk over restarts.
    ``profile`` replaces what it claims. Raises TargetError, CatalogueError, InstallError or ProcessError.
    """
    access = access or Access()
    if "://" in spec:
        like = find("aws").profile if access.allow_aws or is_aws(urlsplit(spec).hostname or "") else Profile()
        target = _at_url(spec, Entry(spec, endpoint=spec, profile=like), access)
    elif spec.endswith(":inprocess"):
        target = _in_process(find(spec.removesuffix(":inprocess")), access)
    else:
        entry = find(spec)
        if entry.endpoint:
            target = _at_url(entry.endpoint, entry, access)
        else:
            home = Path(tempfile.mkdtemp(prefix=f"dynoracle-{spec}-")) if run_dir is None else run_dir
            folder = home / (f"{spec}-{worker}" if worker else spec)
            target = _started(entry, folder, access, persist=persist)
            target.scratch = home if run_dir is None else None
    if profile is not None:
        target.profile = profile
    return target


def open_entry(entry: Entry, folder: Path, access: Access) -> Target:
    """Start a target that need not be in the catalogue, its data and log in ``folder``; errors as ``open_target``."""
    return _started(entry, folder, access, persist=False)


def answers(transport: Transport, timeout: float = PROBE_LIMIT) -> bool:
    """Whether a target answers ListTables."""
    return isinstance(transport.send(Call("ListTables", {}), timeout=timeout), Success)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own and no other's."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def is_aws(host: str) -> bool:
    """Whether a host is one of AWS's."""
    return _AWS.search(host.lower()) is not None


def _host_of(endpoint: str) -> str:
    """The host of an address; TargetError for what is none."""
    try:
        parts = urlsplit(endpoint)
        known = bool(parts.hostname) and parts.scheme in ("http", "https") and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known:
        raise TargetError(f"{endpoint!r} is no endpoint: give it as http://host:port or https://host")
    return parts.hostname or ""


def permit(endpoint: str, access: Access) -> None:
    """TargetError unless the user allowed calls to that endpoint."""
    host = _host_of(endpoint)
    if access.allow_aws and not re.fullmatch(r"\d{12}", access.account_id or ""):
        raise TargetError("give --allow-aws and --account-id with the twelve digits of the account that pays")
    if is_aws(host):
        if not access.allow_aws:
            raise TargetError(
                f"{endpoint} is AWS, where tables are paid for: give --allow-aws and --account-id to go there"
            )
    elif not is_loopback(host) and host not in access.allow_hosts:
        raise TargetError(f"{host!r} is not this machine: give --allow-host {host} if it may be tested")


def _at_url(template: str, entry: Entry, access: Access) -> Target:
    region = access.region or entry.region or _region_in(template) or DEFAULT_REGION
    endpoint = fill(template, {"region": region})
    permit(endpoint, access)
    credentials = credentials_for(endpoint, access)
    try:
        http = HttpTransport(
            endpoint,
            credentials=credentials,
            region=region,
            ca_file=access.ca_file or entry.ca_file or None,
            insecure=access.insecure or entry.insecure,
        )
    except (ValueError, OSError) as error:
        raise TargetError(f"{endpoint}: {error}") from error
    transport = _guarded(http, Place(entry.name, endpoint, region), access)
    return Target(entry.name, entry.version, endpoint, transport, entry.profile, region, entry)


def _guarded(http: HttpTransport, place: Place, access: Access) -> Transport:
    """The transport with what must watch over it; TargetError when the account is another than was said."""
    if access.allow_aws:
        found = account_of(http)
        if found is not None and found != access.account_id:
            http.close()
            raise TargetError(f"{place.endpoint} belongs to account {found}, not to --account-id {access.account_id}")
    elif access.ledger is None:
        return http
    ledger = None if access.ledger is None else TableLedger(access.ledger, place)
    meter = Meter(access.max_cost) if access.allow_aws else None
    return GuardedTransport(http, ledger=ledger, meter=meter, account=access.account_id if meter else None)


def credentials_for(endpoint: str, access: Access) -> Credentials | Callable[[], Credentials]:
    """The credentials for an endpoint: those given, else fake ones for loopback, else boto3's; TargetError if none."""
    host = urlsplit(endpoint).hostname or ""
    return access.credentials or (FAKE if is_loopback(host) else _from_chain(host))


def region_of(endpoint: str) -> str:
    """The region that an endpoint's name tells, or the usual one."""
    return _region_in(endpoint) or DEFAULT_REGION


def _region_in(endpoint: str) -> str | None:
    found = re.search(r"\bdynamodb\.([a-z0-9-]+)\.(?:amazonaws|api)\b", endpoint)
    return found[1] if found else None


def _from_chain(host: str) -> Credentials | Callable[[], Credentials]:
    import botocore.session

    chain = botocore.session.get_session().get_credentials()
    if chain is None:
        if is_aws(host):
            raise TargetError(f"no AWS credentials were found for {host}: set AWS_PROFILE, or run `aws configure`")
        return FAKE

    def current() -> Credentials:
        frozen = chain.get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    return current


def _in_process(entry: Entry, access: Access) -> Target:
    region = access.region or DEFAULT_REGION
    transport: Transport
    if entry.inprocess == "moto":
        transport = WsgiTransport(moto_application(), region=region)
    elif entry.inprocess == "reference":
        from reference.account import Account
        from reference.server import WallClock
        from reference.service import Service
        from reference.transfer.buckets import buckets

        account = Account(WallClock(), region=region)
        buckets(account.rooms).make(BUCKET)
        transport = ReferenceTransport(Service(account))
    else:
        raise TargetError(f"{entry.name!r} has no in-process variant: leave out `:inprocess`")
    place = located(entry)
    version = place.version if place else entry.version
    return Target(f"{entry.name}:inprocess", version, "", transport, entry.profile, region, entry)


def _started(entry: Entry, folder: Path, access: Access, *, persist: bool) -> Target:
    if persist and not entry.persists:
        raise TargetError(f"{entry.name} can't keep its data over a restart: leave persistence out, or take another")
    place = install(entry)
    names = place.names
    argv = (*entry.start, *(entry.persist if persist else entry.memory))
    env = {**entry.env, **(entry.persist_env if persist else {})}
    if entry.source == "bundled":
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
    # The user's own program is named as seen from the working directory.
    cwd = None if entry.source or place.folder else Path.cwd()
    filled = {key: fill(value, names) for key, value in env.items()}
    command = Command(tuple(fill(part, names) for part in argv), filled, cwd)
    region = access.region or entry.region or DEFAULT_REGION

    def probe(port: int) -> bool:
        with contextlib.closing(HttpTransport(f"http://127.0.0.1:{port}", region=region)) as transport:
            return answers(transport)

    process = Process(entry.name, command, folder.resolve(), probe)
    process.start()
    endpoint = f"http://127.0.0.1:{process.port}"
    profile = replace(entry.profile, durability=entry.persist_durability) if persist else entry.profile
    return Target(
        entry.name,
        place.version,
        endpoint,
        HttpTransport(endpoint, credentials=access.credentials, region=region),
        profile,
        region,
        entry,
        process,
        persist,
    )
