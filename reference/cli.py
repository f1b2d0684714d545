"""``dynoracle serve``: the reference as a local endpoint."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reference.account import Account, Delays
from reference.capacity.meter import serve_with
from reference.folder import FolderBuckets
from reference.service import Service
from reference.transfer.buckets import buckets
from reference.unkind import LIKE_AWS, UnkindService


class Like(StrEnum):
    """Whose manners the endpoint has."""

    emulator = "emulator"
    aws = "aws"


AWS_DELAYS = Delays(create_table=0.5, delete_table=0.3, update_table=0.5, backfill=0.5, restore_table=0.5, transfer=0.5)
"""Seconds that states take with ``--like aws``: long enough to be met, short enough for a test."""


def serve(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to bind; loopback by default.")] = "127.0.0.1",
    region: Annotated[str, typer.Option(help="AWS region to answer for.")] = "us-east-1",
    access_key: Annotated[str, typer.Option(help="Check signatures against this access key.")] = "",
    secret_key: Annotated[str, typer.Option(help="Secret of --access-key.")] = "",
    like: Annotated[
        Like,
        typer.Option(
            help="aws: stale reads, lagging indexes, partial batches, throttling, slow tables, rare 500s, all lawful."
        ),
    ] = Like.emulator,
    seed: Annotated[int, typer.Option(help="Seed of what --like aws does.")] = 0,
    throttling: Annotated[
        bool, typer.Option("--throttling", help="Limit throughput: provisioned units, bursts, partitions, quotas.")
    ] = False,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Count what calls use, for CloudWatch clients and GET /metrics.")
    ] = False,
    create_seconds: Annotated[float | None, typer.Option(help="Seconds a new table stays CREATING.")] = None,
    bucket_dir: Annotated[
        Path | None,
        typer.Option(help="Folder whose folders are the buckets of exports, imports and bulk puts.", file_okay=False),
    ] = None,
    bucket: Annotated[list[str] | None, typer.Option(help="A bucket kept in memory (repeat for more).")] = None,
) -> None:
    """Serve the reference: DynamoDB as AWS documents and answers it, in memory."""
    from reference.server import WallClock, serve_forever

    if bool(access_key) != bool(secret_key):
        raise typer.BadParameter("give both --access-key and --secret-key, or neither")
    unkind = like is Like.aws
    delays = AWS_DELAYS if unkind else Delays()
    if create_seconds is not None:
        delays = replace(delays, create_table=create_seconds)
    account = Account(WallClock(), region=region, delays=delays)
    serve_with(account, throttling=throttling, metrics=metrics)
    for each in bucket or ():
        buckets(account.rooms).make(each)
    kind = Service(account)
    service: Service | UnkindService | FolderBuckets = UnkindService(kind, LIKE_AWS, seed) if unkind else kind
    if bucket_dir is not None:
        if not bucket_dir.is_dir():
            raise typer.BadParameter(f"no such folder: {bucket_dir}", param_hint="--bucket-dir")
        service = FolderBuckets(service, account, bucket_dir, lambda fault: typer.echo(f"dynoracle: {fault}", err=True))
    credentials = {access_key: secret_key} if access_key else None
    name = "DynamoDB (the reference" + (f", unkind, seed {seed})" if unkind else ")")
    try:
        serve_forever(
            service,
            host=host,
            port=port,
            credentials=credentials,
            region=region,
            ready=lambda url: typer.echo(f"{name} answers at {url}; Ctrl-C ends it"),
        )
    except OSError as error:
        typer.echo(f"dynoracle: cannot listen on {host}:{port}: {error}; choose another --port", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(serve)
