"""Target-tracking policies as they are made (beyond:AS-1, AS-3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reference.account import Account
from reference.scaling.targets import ROLE, Policy, Slot

CONFIGURATION = "TargetTrackingScalingPolicyConfiguration"
ALARMS = ("AlarmHigh", "AlarmLow", "ProvisionedCapacityHigh", "ProvisionedCapacityLow")


def policy_of(account: Account, name: str, slot: Slot, given: Mapping[str, Any], held: Policy | None) -> Policy:
    """A policy with this configuration, or ``held`` changed to it: that one keeps its id and its age."""
    made = held.copy() if held is not None else None
    if made is None:
        id = account.coming_id()
        names = tuple(f"TargetTracking-{slot[0]}-{alarm}-{id}" for alarm in ALARMS)
        made = Policy(id, name, slot, 0.0, {}, names, account.now())
    made.value, made.given = float(given["TargetValue"]), dict(given)
    made.out_cooldown = float(given.get("ScaleOutCooldown") or 0)
    made.in_cooldown = float(given.get("ScaleInCooldown") or 0)
    made.keeps = bool(given.get("DisableScaleIn"))
    return made


def short(account: Account) -> str:
    """The id of the next target."""
    return account.coming_id().replace("-", "")[:24]


def role_of(account: Account) -> str:
    """The service-linked role, in which units are scaled unless another is named."""
    return f"arn:aws:iam::{account.account_id}:{ROLE}"
