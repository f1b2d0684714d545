"""``dynoracle serve``: the reference as a local endpoint."""

from __future__ import annotations

from typing import Annotated

import typer

from reference.account import Account, Delays
from reference.service import Service


def serve(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to bind; loopback by default.")] = "127.0.0.1",
    region: Annotated[str, typer.Option(help="AWS region to answer for.")] = "us-east-1",
    access_key: Annotated[str, typer.Option(help="Check signatures against this access key.")] = "",
    secret_key: Annotated[str, typer.Option(help="Secret of --access-key.")] = "",
    create_seconds: Annotated[float, typer.Option(help="Seconds a new table stays CREATING.")] = 0.0,
) -> None:
    """Serve the reference: DynamoDB as AWS documents and answers it, in memory."""
    from reference.server import WallClock, serve_forever

    if bool(access_key) != bool(secret_key):
        raise typer.BadParameter("give both --access-key and --secret-key, or neither")
    account = Account(WallClock(), region=region, delays=Delays(create_table=create_seconds))
    credentials = {access_key: secret_key} if access_key else None
    try:
        serve_forever(
            Service(account), host=host, port=port, credentials=credentials, region=region,
            ready=lambda url: typer.echo(f"DynamoDB (the reference) answers at {url}; Ctrl-C ends it"),
        )
    except OSError as error:
        typer.echo(f"dynoracle: cannot listen on {host}:{port}: {error}; choose another --port", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(serve)
