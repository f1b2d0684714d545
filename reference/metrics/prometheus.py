"""The metrics as Prometheus reads them: text format 0.0.4."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reference.account import Account
from reference.capacity.meter import meter_of
from reference.metrics.store import Dimensions, Metrics
from reference.wire import Page

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_GAUGES = re.compile(r"Provisioned|OnDemandMax|AccountMax|Utilization")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LABELS = {"TableName": "table", "GlobalSecondaryIndexName": "index", "Operation": "operation", "Source": "source"}
_LATENCY = "SuccessfulRequestLatency"


def pages(account: Account) -> dict[bytes, Page]:
    """GET /metrics of an account, where it counts."""
    meter = meter_of(account)
    if meter is None or meter.metrics is None:
        return {}
    metrics = meter.metrics
    return {b"/metrics": lambda: (CONTENT_TYPE, page(metrics))}


def page(metrics: Metrics) -> bytes:
    """Every metric: counters of all that was counted, gauges of what was sampled last."""
    return "".join(f"{line}\n" for line in _lines(metrics)).encode()


def _lines(metrics: Metrics) -> Iterator[str]:
    told = ""
    for metric, of in metrics.series():
        if "Source" in dict(of):
            # The same units are in the series without it.
            continue
        name, kind = _name(metric), _kind(metric)
        if name != told:
            told = name
            yield f"# TYPE {name} {kind}"
        total, count, last = metrics.totals(metric, of)
        if kind == "summary":
            yield f"{name}_sum{_labels(of)} {total!r}"
            yield f"{name}_count{_labels(of)} {count}"
        else:
            yield f"{name}{_labels(of)} {last if kind == 'gauge' else total!r}"


def _kind(metric: str) -> str:
    if metric == _LATENCY:
        return "summary"
    return "gauge" if _GAUGES.match(metric) or metric.endswith("Utilization") else "counter"


def _name(metric: str) -> str:
    """``dynamodb_consumed_read_capacity_units_total`` for ConsumedReadCapacityUnits."""
    name = "dynamodb_" + _WORD.sub("_", metric).lower()
    if metric == _LATENCY:
        return f"{name}_milliseconds"
    return f"{name}_total" if _kind(metric) == "counter" else name


def _labels(of: Dimensions) -> str:
    given = ",".join(f'{_LABELS.get(name, name)}="{_escaped(value)}"' for name, value in of)
    return f"{{{given}}}" if given else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
