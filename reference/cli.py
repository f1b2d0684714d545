"""``dynoracle serve``: the reference as a local endpoint."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reference.clock import Clock, ManualClock
from reference.folder import FolderBuckets
from reference.knobs import KnobError, Knobs, resolve
from reference.metrics import prometheus
from reference.serving import Served
from reference.transfer.buckets import buckets

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Like(StrEnum):
    """Whose manners the endpoint has."""

    emulator = "emulator"
    aws = "aws"


class Ticks(StrEnum):
    """What makes time pass."""

    wall = "wall"
    manual = "manual"


def _seconds(text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(help=text, show_default=False)
    return option


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to bind; loopback by default.")] = "127.0.0.1",
    region: Annotated[str, typer.Option(help="AWS region to answer for.")] = "us-east-1",
    access_key: Annotated[str, typer.Option(help="Check signatures against this access key.")] = "",
    secret_key: Annotated[str, typer.Option(help="Secret of --access-key.")] = "",
    like: Annotated[
        Like | None,
        typer.Option(
            help="aws: stale reads, lagging indexes and replicas, partial batches, throttling, slow tables, late "
            "expiry, rare 500s, all lawful; emulator (the default): none of it."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything that is left to chance.")] = None,
    clock: Annotated[
        Ticks | None, typer.Option(help="manual: time passes only when POST /_dynoracle/clock says so.")
    ] = None,
    control: Annotated[
        bool | None, typer.Option("--control", help="Serve /_dynoracle: links, leaders, time to live, caches.")
    ] = None,
    throttling: Annotated[
        bool | None,
        typer.Option("--throttling", help="Limit throughput: provisioned units, bursts, partitions, quotas."),
    ] = None,
    metrics: Annotated[
        bool | None, typer.Option("--metrics", help="Count what calls use, for CloudWatch clients and GET /metrics.")
    ] = None,
    staleness: Annotated[float | None, _seconds("Seconds that eventually consistent reads may be behind.")] = None,
    index_lag: Annotated[float | None, _seconds("Seconds that global secondary indexes may be behind.")] = None,
    partial: Annotated[float | None, _seconds("Share of batches that are left undone in part, 0 to 1.")] = None,
    throttled: Annotated[float | None, _seconds("Share of data calls that are throttled, 0 to 1.")] = None,
    errors: Annotated[float | None, _seconds("Share of data calls answered 500, half of them done, 0 to 1.")] = None,
    leader_loss: Annotated[float | None, _seconds("Share of data calls at which a partition loses its leader.")] = None,
    stream_lag: Annotated[float | None, _seconds("Seconds that a change may take to its stream.")] = None,
    create_seconds: Annotated[float | None, _seconds("Seconds a new table stays CREATING.")] = None,
    ttl_lag: Annotated[float | None, _seconds("Seconds until an expired item is deleted; -1: never by itself.")] = None,
    stream_shards: Annotated[int | None, typer.Option(help="Shards that a new stream has.", show_default=False)] = None,
    shard_seconds: Annotated[float | None, _seconds("Seconds until a stream's shards close and others follow.")] = None,
    regions: Annotated[str | None, typer.Option(help="Further regions, for replicas: eu-west-1,us-west-2.")] = None,
    replication_lag: Annotated[float | None, _seconds("Seconds that replicas are behind each other.")] = None,
    dax: Annotated[
        bool | None, typer.Option("--dax", help="Answer through DAX's caches; /direct goes past them.")
    ] = None,
    dax_item_ttl: Annotated[float | None, _seconds("Seconds an item stays in the cache.")] = None,
    dax_query_ttl: Annotated[float | None, _seconds("Seconds a Query's or Scan's result stays.")] = None,
    bucket: Annotated[list[str] | None, typer.Option(help="A bucket kept in memory (repeat for more).")] = None,
    bucket_dir: Annotated[
        Path | None,
        typer.Option(help="Folder whose folders are the buckets of exports, imports and bulk puts.", file_okay=False),
    ] = None,
) -> None:
    """Serve the reference: DynamoDB as AWS documents and answers it, in memory.

    Further settings, and all of these, may stand in the table ``serve`` of dynoracle.toml.
    """
    if bool(access_key) != bool(secret_key):
        raise typer.BadParameter("give both --access-key and --secret-key, or neither")
    flags = {
        "like": None if like is None else like.value, "seed": seed, "clock": None if clock is None else clock.value,
        "control": control, "throttling": throttling, "metrics": metrics, "staleness": staleness,
        "index_lag": index_lag, "partial": partial, "throttled": throttled, "errors": errors,
        "leader_loss": leader_loss, "stream_lag": stream_lag, "create_seconds": create_seconds, "ttl_lag": ttl_lag,
        "stream_shards": stream_shards, "shard_seconds": shard_seconds, "regions": regions,
        "replication_lag": replication_lag, "dax": dax, "dax_item_ttl": dax_item_ttl, "dax_query_ttl": dax_query_ttl,
    }  # fmt: skip
    try:
        knobs = resolve(flags)
    except KnobError as error:
        raise typer.BadParameter(str(error)) from error
    place = Place(host, port, region, {access_key: secret_key} if access_key else None)
    run(knobs, place, buckets_named=bucket or (), bucket_dir=bucket_dir)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service is to be had, and for whom (``credentials``: key id → secret; None for everybody)."""

    host: str
    port: int
    region: str
    credentials: dict[str, str] | None = None


def run(knobs: Knobs, place: Place, *, buckets_named: Iterable[str] = (), bucket_dir: Path | None = None) -> None:
    """Serve with these settings until it is interrupted."""
    from reference.server import WallClock, serve_forever

    if (knobs.control or knobs.clock == "manual") and place.host not in LOOPBACK:
        raise typer.BadParameter(f"/_dynoracle is for this machine alone: leave --host out, not {place.host}")
    clock: Clock = ManualClock(time.time()) if knobs.clock == "manual" else WallClock()
    served = Served(knobs, clock, place.region)
    for each in buckets_named:
        buckets(served.account.rooms).make(each)
    if bucket_dir is not None:
        if not bucket_dir.is_dir():
            raise typer.BadParameter(f"no such folder: {bucket_dir}", param_hint="--bucket-dir")
        warn = lambda fault: typer.echo(f"dynoracle: {fault}", err=True)  # noqa: E731
        served.replace(FolderBuckets(served.service, served.account, bucket_dir, warn))
    name = "DynamoDB (the reference" + (f", unkind, seed {knobs.seed})" if knobs.unkind else ")")
    try:
        serve_forever(
            served.service,
            host=place.host,
            port=place.port,
            credentials=place.credentials,
            region=place.region,
            router=served.router,
            pages=prometheus.pages(served.account),
            ready=lambda url: typer.echo(f"{name} answers at {url}; Ctrl-C ends it"),
        )
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        typer.echo(f"dynoracle: cannot listen on {place.host}:{place.port} ({why}): choose another --port", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(serve)
