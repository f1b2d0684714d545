from __future__ import annotations

import copy
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import reports
from conformance.record.finding import SEVERITIES, Finding, finding_to_json
from conformance.record.folder import RunFolder
from conformance.record.op import Op
from conformance.record.run import VERDICTS, CapabilityResult, CheckResult, Run
from reference.api import Refusal
from reference.rules import STRENGTHS
from tests.unit.record_samples import ACCEPTS, HOSTILE, RUN, hostile

SCHEMA = json.loads((Path(reports.__file__).parent / "schema" / "report.schema.json").read_text())
DEFINED = SCHEMA["$defs"]
CHECK = jsonschema.Draft202012Validator(SCHEMA)


def written(run: Run, folder: Path) -> Any:
    return json.loads(RunFolder(folder).write_run(run).read_text())


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_what_is_written_fits(tmp_path: Path) -> None:
    CHECK.validate(written(RUN, tmp_path))
    finding = {"$defs": DEFINED, "$ref": "#/$defs/finding"}
    for found in RUN.findings:
        jsonschema.Draft202012Validator(finding).validate(json.loads(json.dumps(finding_to_json(found))))
    spoilt = json.loads(json.dumps(finding_to_json(ACCEPTS)))
    spoilt["observed"] = {"success": hostile({"a": HOSTILE})}
    jsonschema.Draft202012Validator(finding).validate(spoilt)


@pytest.mark.parametrize(
    ("type_", "schema"),
    [
        (Run, SCHEMA),
        (Finding, DEFINED["finding"]),
        (CapabilityResult, DEFINED["capability"]),
        (CheckResult, DEFINED["check"]),
        (Op, DEFINED["op"]),
        (Refusal, DEFINED["reply"]["properties"]["refusal"]),
    ],
)
def test_the_schema_knows_every_member(type_: Any, schema: dict[str, Any]) -> None:
    assert {field.name for field in fields(type_)} == set(schema["properties"]) - {"schema"}


def test_the_schema_knows_every_word() -> None:
    assert tuple(DEFINED["severity"]["enum"]) == SEVERITIES
    assert tuple(DEFINED["verdict"]["enum"]) == VERDICTS
    assert tuple(DEFINED["finding"]["properties"]["strength"]["enum"]) == STRENGTHS


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: row.update(schema=2),
        lambda row: row.pop("seed"),
        lambda row: row.update(seed="7"),
        lambda row: row["findings"][0].update(severity="bad"),
        lambda row: row["findings"][0].update(fingerprint="../x"),
        lambda row: row["findings"][0].update(observed={}),
        lambda row: row["findings"][0].update(observed={"success": {}, "lost": "x"}),
        lambda row: row["findings"][0]["program"][0].pop("operation"),
        lambda row: row["capabilities"][0].update(verdict="green"),
        lambda row: row["capabilities"][0].update(findings={"bad": 1}),
        lambda row: row["checks"][0].pop("rule"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, spoil: Any) -> None:
    row = copy.deepcopy(written(RUN, tmp_path))
    spoil(row)
    assert not CHECK.is_valid(row)
