"""What the scaling of replicas does to the targets and policies of their regions (beyond:AS-8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reference.account import Account
from reference.replicas import members
from reference.replicas.world import world_of
from reference.scaling import tracking
from reference.scaling.policies import CONFIGURATION, policy_of, role_of, short
from reference.scaling.targets import METRICS, Slot, Target, scaling_of, seen
from reference.tables.table import Table

NEW_INDEX = {"MinimumUnits": 1, "MaximumUnits": 10, "ScalingPolicyUpdate": {CONFIGURATION: {"TargetValue": 70.0}}}
"""How the written units of an index are scaled that a provisioned table with replicas gets (beyond:AS-8)."""


def slot_of(table: str, index: str, kind: str) -> Slot:
    """One kind of units of a table, or of an index of it."""
    resource = f"table/{table}/index/{index}" if index else f"table/{table}"
    return resource, f"dynamodb:{'index' if index else 'table'}:{kind}CapacityUnits"


def apply(account: Account, slot: Slot, kind: str, given: Mapping[str, Any]) -> None:
    """Give one kind of units of a table or index in one region these AutoScalingSettingsUpdate."""
    scaling = scaling_of(account)
    if given.get("AutoScalingDisabled"):
        scaling.targets.pop(slot, None)
        scaling.policies = {key: policy for key, policy in scaling.policies.items() if key[0] != slot}
        return
    update = given["ScalingPolicyUpdate"]
    name = update.get("PolicyName") or f"DynamoDB{kind}CapacityUtilization:{slot[0]}"
    # The name is the policy: another one takes the place of the one before.
    scaling.policies = {key: policy for key, policy in scaling.policies.items() if key[0] != slot or key[1] == name}
    held = scaling.targets.get(slot)
    if held is None:
        held = Target(short(account), slot, 0, 0, role_of(account), account.now())
        account.new_id()
    target = replace(held, least=given["MinimumUnits"], most=given["MaximumUnits"])
    scaling.targets[slot] = target
    configuration = {**update[CONFIGURATION], "PredefinedMetricSpecification": {"PredefinedMetricType": METRICS[kind]}}
    key = (slot, name)
    made = policy_of(account, name, slot, configuration, scaling.policies.get(key))
    if key not in scaling.policies:
        account.new_id()
    scaling.policies[key] = made
    tracking.bounded(account, target)
    tracking.start(account)


def mirror(account: Account, table: str, region: str) -> None:
    """Let the written units of a new replica, and of its indexes, be scaled as those of its source are."""
    there, scaling = world_of(account).account(region), seen(account)
    for slot, target in list(scaling.targets.items()):
        if slot[0].split("/")[1] != table or ":Write" not in slot[1]:
            continue
        for (about, name), policy in list(scaling.policies.items()):
            if about == slot:
                given = {k: v for k, v in policy.given.items() if k != "PredefinedMetricSpecification"}
                update = {"PolicyName": name, CONFIGURATION: given}
                bounds = {"MinimumUnits": target.least, "MaximumUnits": target.most}
                apply(there, slot, "Write", {**bounds, "ScalingPolicyUpdate": update})


def cover(account: Account, table: Table, indexes: list[str]) -> None:
    """Let the written units of new indexes of a provisioned table be scaled in every region of it."""
    for there, _ in members.everywhere(account, table):
        for index in indexes:
            slot = slot_of(table.name, index, "Write")
            if slot not in seen(there).targets:
                apply(there, slot, "Write", NEW_INDEX)
