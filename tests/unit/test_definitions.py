"""The user's own tables: what files may hold, what is said of those that can't be used, and programs over them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.definitions import DefinitionError, definitions_of, read_definitions, worlds_of, write_definitions
from conformance.machines import MACHINES
from conformance.machines.base import draw_chunk
from reference.account import Account
from reference.api import Call, Success
from reference.service import Service

TEMPLATE = """
Parameters:
  Stage: {Type: String, Default: dev}
  Units: {Type: Number, Default: 7}
Conditions:
  Production: !Equals [!Ref Stage, production]
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub "${Stage}-orders"
      BillingMode: !If [Production, PROVISIONED, PAY_PER_REQUEST]
      Tags: !If [Production, [{Key: a, Value: b}], !Ref AWS::NoValue]
      AttributeDefinitions:
        - {AttributeName: "pk#id", AttributeType: S}
        - {AttributeName: order, AttributeType: N}
        - {AttributeName: status, AttributeType: S}
      KeySchema:
        - {AttributeName: "pk#id", KeyType: HASH}
        - {AttributeName: order, KeyType: RANGE}
      GlobalSecondaryIndexes:
        - IndexName: by-status
          KeySchema:
            - {AttributeName: status, KeyType: HASH}
            - {AttributeName: order, KeyType: HASH}
            - {AttributeName: "pk#id", KeyType: RANGE}
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [customer]}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Provisioned:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: B}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      ProvisionedThroughput: {ReadCapacityUnits: !Ref Units, WriteCapacityUnits: "3"}
  Everywhere:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      Replicas: [{Region: us-east-1}]
  Never:
    Type: AWS::DynamoDB::Table
    Condition: Production
  Bucket: {Type: AWS::S3::Bucket}
"""


def written(folder: Path, text: str, name: str = "template.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def described(**more: Any) -> dict[str, Any]:
    service = Service(Account())
    body = {
        "TableName": "table",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        **more,
    }
    service.execute(Call("CreateTable", body))
    reply = service.execute(Call("DescribeTable", {"TableName": "table"}))
    assert isinstance(reply, Success)
    return dict(reply.body)


def test_a_template(tmp_path: Path) -> None:
    orders, provisioned, everywhere = read_definitions(written(tmp_path, TEMPLATE))
    assert orders["BillingMode"] == "PAY_PER_REQUEST"
    assert orders["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert provisioned["ProvisionedThroughput"] == {"ReadCapacityUnits": 7, "WriteCapacityUnits": 3}
    assert "BillingMode" not in provisioned
    assert everywhere["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    (world, *_) = worlds_of([orders])
    assert world.keys == (("pk#id", "S"), ("order", "N"))
    assert world.indexes[0].hash == ("status", "S")
    assert world.indexes[0].range == ("pk#id", "S")
    assert world.indexes[0].more[: world.indexes[0].wide] == (("order", "N"),)
    assert "customer" in world.attributes


@pytest.mark.parametrize(
    "shape", [lambda t: t, lambda t: t["Table"], lambda t: [t, t], lambda t: {"Tables": [t["Table"]]}]
)
def test_descriptions(tmp_path: Path, shape: Any) -> None:
    text = json.dumps(shape(described()))
    for body in read_definitions(written(tmp_path, text, "tables.json")):
        assert body == {
            "TableName": "table",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }


def test_a_description_of_provisioned_indexes(tmp_path: Path) -> None:
    units = {"ReadCapacityUnits": 4, "WriteCapacityUnits": 2}
    index = {
        "IndexName": "all",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": units,
    }
    table = described(BillingMode="PROVISIONED", ProvisionedThroughput=units, GlobalSecondaryIndexes=[index])
    (body,) = read_definitions(written(tmp_path, json.dumps(table), "table.json"))
    assert body["ProvisionedThroughput"] == units
    assert body["GlobalSecondaryIndexes"] == [index]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "is not YAML"),
        ('{"a": 1}', "must have a KeySchema"),
        ("Resources: {Bucket: {Type: 'AWS::S3::Bucket'}}", "holds no table"),
        ("Resources: {T: {Type: 'AWS::DynamoDB::Table', Properties: {}}}", "Resources.T: has no KeySchema"),
        (
            "Resources: {T: {Type: 'AWS::DynamoDB::Table', Properties: {KeySchema: [{AttributeName: !Ref Key, "
            "KeyType: HASH}]}}}",
            "{Ref: 'Key'} is not known here",
        ),
        ("KeySchema: [{AttributeName: pk, KeyType: HASH}]", "DynamoDB would refuse this table"),
        ("KeySchema: 7", "DynamoDB would refuse this table"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DefinitionError, match=r"template\.yaml") as raised:
        read_definitions(written(tmp_path, text))
    assert says in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="cannot be read"):
        read_definitions(tmp_path / "none.json")


def test_programs_are_drawn_over_them(tmp_path: Path) -> None:
    write_definitions(tmp_path, read_definitions(written(tmp_path, TEMPLATE)))
    own = definitions_of(tmp_path)
    assert len(own) == 3
    keys = [world.given["KeySchema"] for world in own if world.given]
    for name, machine in MACHINES.items():
        for program in draw_chunk(machine, 3, programs=4, steps=5, own=own):
            for symbol, body in program.tables.items():
                assert body["TableName"] == f"${{table:{symbol}}}"
                assert body["KeySchema"] in keys, name


def test_a_run_without_any_draws_over_the_handful(tmp_path: Path) -> None:
    assert definitions_of(tmp_path) == ()
