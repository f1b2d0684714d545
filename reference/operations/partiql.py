"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction (dataplane:PQL-1 to PQL-25, ORD-7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from reference.api import Item
from reference.capacity.units import Consumed, read_units, report, reports, write_units
from reference.capacity.uses import Use, uses_of
from reference.operations import pages, transactions
from reference.operations import statements as at_work
from reference.operations.actions import Action, Done, run, schema_faults, value_faults
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.shared import table_of
from reference.operations.transactions import Get, duplicates, read_all, remember, remembered, run_all
from reference.partiql.access import item_meant
from reference.partiql.parser import Parsed, parse
from reference.partiql.planner import Statement, faults_of, is_exists, is_read, is_statement, plan, read
from reference.partiql.plans import DeletePlan, ExistsPlan, InsertPlan, Plan, SelectPlan, UpdatePlan
from reference.partiql.tree import Change, Delete, Insert
from reference.rules import Checks, Violation, every, violation
from reference.tables.keys import key_of, lookup_key_faults
from reference.tables.table import Table
from reference.tables.view import RowKey
from reference.values.item import item_size

WritePlan: TypeAlias = InsertPlan | UpdatePlan | DeletePlan
_CODES: Mapping[str, str] = {
    "ResourceNotFoundException": "ResourceNotFound",
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
    "ItemCollectionSizeLimitExceededException": "ItemCollectionSizeLimitExceeded",
}
"""How a batch names an exception; any other is a ValidationError (dataplane:XTRA-ERR-2)."""


# ExecuteStatement


def execute_statement(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ExecuteStatement: the statement by itself, then its table, then its rows or its item."""
    if not complete("ExecuteStatement", body):
        return None
    planned = yield from _planned(context, body)
    if planned is None:
        return None
    if isinstance(planned, ExistsPlan):
        yield violation("partiql.exists-alone")
        return None
    yield from at_work.size_faults(planned)
    table = yield from table_of(context, planned.table)
    if table is None:
        return None
    if isinstance(planned, SelectPlan):
        return (yield from _select(context, planned, table, body))
    return (yield from _write(planned, table, body))


def _planned(context: Context, request: Mapping[str, Any]) -> Checks[Plan | None]:
    """A statement up to what can be said of it without its table, in the service's order (dataplane:ORD-7)."""
    parsed = parse(request["Statement"])
    yield from faults_of(parsed)
    statement = yield from read(parsed, request.get("Parameters"))
    if statement is None:
        return None
    yield from at_work.refused_index(context, statement.tree)
    return (yield from plan(statement))


def _select(context: Context, planned: SelectPlan, table: Table, body: dict[str, Any]) -> Checks[Outcome | None]:
    consistent = bool(body.get("ConsistentRead"))
    source = yield from at_work.source_of(planned, table, consistent=consistent)
    if source is None:
        return None
    digest = transactions.digest_of([body["Statement"], body.get("Parameters") or []])
    start = yield from at_work.start_of(body.get("NextToken"), digest, source)
    reach = yield from at_work.reach_of(planned, source)
    yield from at_work.projection_faults(planned, source)
    if reach is None or (start is None and body.get("NextToken") is not None):
        return None
    request = at_work.Request(body.get("Limit"), consistent, start)
    page = at_work.select_page(planned, source, reach, request, open_end=context.choice.open_end)
    answer: dict[str, Any] = {"Items": page.items}
    if page.last is not None:
        entry = page.evaluated[-1]
        answer["LastEvaluatedKey"] = {name: entry[name] for name in source.key_names}
        answer["NextToken"] = at_work.token_of(digest, answer["LastEvaluatedKey"])
    told = {"TableName": planned.table, "ConsistentRead": consistent}
    consumed = pages.consumed(source, page, told)
    capacity = report(consumed, body.get("ReturnConsumedCapacity"))
    if capacity is not None:
        answer["ConsumedCapacity"] = capacity
    return Outcome(
        answer,
        rules=_select_rules(planned, capacity),
        details={"evaluated": page.evaluated, "last": page.last, "scan": reach.spans is None},
        uses=pages.uses_of(source, page, consumed.total) if context.metered else (),
    )


def _select_rules(planned: SelectPlan, capacity: object) -> tuple[str, ...]:
    rules: tuple[str, ...] = ("partiql.select", "partiql.pages")
    if planned.columns is not None:
        rules += ("partiql.columns",)
    if planned.order:
        rules += ("partiql.order",)
    if planned.index is not None:
        rules += ("partiql.index-read",)
    if capacity is not None:
        rules += ("capacity.page-units", "capacity.shape")
    return rules


def _write(planned: WritePlan, table: Table, body: dict[str, Any]) -> Checks[Outcome | None]:
    action = yield from at_work.action_of(planned, table, return_old=_returns_old(body))
    if action is None:
        return None
    faults = [*value_faults(action), *schema_faults(action)]
    yield from faults
    done = yield from run(action)
    if done is None or done.change is None or faults:
        return None
    item = at_work.returning(planned, done)
    answer: dict[str, Any] = {"Items": [] if item is None else [item]}
    rules: tuple[str, ...] = ("partiql.write-answer", "partiql.update-existing")
    consumed = Consumed(planned.table)
    consumed.write(table, done.change)
    capacity = report(consumed, body.get("ReturnConsumedCapacity"))
    if capacity is not None:
        answer["ConsumedCapacity"] = capacity
        rules += ("capacity.write-units", "capacity.index-write-units", "capacity.shape")
        if consumed.vectors:
            rules += ("vectors.write-capacity",)
    return Outcome(answer, (done.change,), rules=rules)


def _returns_old(request: Mapping[str, Any]) -> bool:
    return request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"


# BatchExecuteStatement


@dataclass(slots=True)
class _Member:
    """A statement of a batch, as far as it can be worked out; ``fault`` is what keeps it from being run."""

    request: Mapping[str, Any]
    parsed: Parsed
    fault: Violation | None = None
    planned: SelectPlan | WritePlan | None = None
    table: Table | None = None
    action: Action | None = None
    key: Item | None = None

    @property
    def target(self) -> tuple[Table, Item] | None:
        """The item it means, if it means one."""
        if self.table is None:
            return None
        if self.action is not None:
            return self.table, key_of(self.table.key, self.action.key)
        return None if self.key is None else (self.table, self.key)


def batch_execute_statement(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """BatchExecuteStatement: all reads or all writes, each by itself; what fails is told in its place."""
    if not complete("BatchExecuteStatement", body):
        return None
    members = [_member(context, request) for request in body["Statements"]]
    yield from _batch_faults(members)
    costs: dict[str, _BatchCost] = {}
    responses = []
    changes = []
    uses: list[Use] = []
    for position, member in enumerate(members):
        if ("", position) in context.choice.unprocessed and member.fault is None:
            responses.append({"Error": {"Code": "ThrottlingError"}})
            continue
        response, done = _response(context, member, costs)
        responses.append(response)
        if done is not None and done.change is not None:
            changes.append(done.change)
        if context.metered:
            uses += _uses(member, done, position)
    answer: dict[str, Any] = {"Responses": responses}
    rules: tuple[str, ...] = ("partiql.batch-answer",)
    consumed = [cost.consumed for cost in costs.values() if cost.succeeded]
    capacity = reports(consumed, body.get("ReturnConsumedCapacity"))
    if capacity is not None:
        answer["ConsumedCapacity"] = capacity
        rules += ("capacity.read-units", "capacity.write-units", "capacity.index-write-units", "capacity.shape")
        if any(each.vectors for each in consumed):
            rules += ("vectors.write-capacity",)
    return Outcome(answer, tuple(changes), rules=rules, uses=tuple(uses))


def _uses(member: _Member, done: Done | None, position: int) -> Iterator[Use]:
    """What a statement of a batch charges; one that fails at its item does so too, but moves no index entry."""
    if member.fault is not None or member.table is None or member.target is None:
        return
    table, key = member.target
    if done is not None and done.change is not None:
        yield from uses_of({table.name: table}, done.change, part=("", position))
        return
    row = table.view.row_key(key) or ()
    if member.action is not None:
        yield Use(table.name, "", "Write", row, _attempt(member.action), ("", position))
        return
    record = table.get(key)
    units = read_units(record.size if record else 0, consistent=bool(member.request.get("ConsistentRead")))
    yield Use(table.name, "", "Read", row, units, ("", position))


def _member(context: Context, request: Mapping[str, Any]) -> _Member:
    member = _Member(request, parse(request["Statement"]))
    found, _ = every(_prepare(context, member))
    member.fault = found[0] if found else None
    return member


def _prepare(context: Context, member: _Member) -> Checks[None]:
    """Everything about a batch's statement up to its item, kept in the member as it becomes known."""
    planned = yield from _planned(context, member.request)
    if planned is None:
        return
    if isinstance(planned, ExistsPlan):
        yield violation("partiql.exists-alone")
        return
    yield from at_work.size_faults(planned)
    member.planned = planned
    member.table = yield from table_of(context, planned.table)
    if member.table is None:
        return
    if isinstance(planned, SelectPlan):
        member.key = _only_key(planned, member.table)
        if member.key is None:
            yield violation("partiql.batch-select-key")
        else:
            yield from lookup_key_faults(member.table.key, member.key)
        return
    member.action = yield from at_work.action_of(planned, member.table, return_old=False)
    if member.action is not None:
        yield from value_faults(member.action)
        yield from schema_faults(member.action)


def _only_key(planned: SelectPlan, table: Table) -> Item | None:
    """The key that a SELECT asks for, if it asks for nothing else and not through an index."""
    meant = item_meant(planned.condition, table.key) if planned.index is None else None
    return meant[0] if meant is not None and meant[1] is None else None


def _batch_faults(members: Sequence[_Member]) -> Checks[None]:
    """What refuses a batch as a whole; statements that don't parse are left out of it (dataplane:PQL-22)."""
    trees = [each.parsed.tree for each in members if each.parsed.tree is not None]
    if len({is_read(tree) for tree in trees if is_statement(tree)}) > 1:
        yield violation("partiql.batch-mixed")
    seen: set[tuple[str, RowKey]] = set()
    for member in members:
        row = member.target[0].view.row_key(member.target[1]) if member.target is not None else None
        if row is None or member.table is None:
            continue
        if (member.table.name, row) in seen:
            yield violation("partiql.batch-duplicates")
            return
        seen.add((member.table.name, row))


@dataclass(slots=True)
class _BatchCost:
    """What a batch consumed of one table, and whether anything succeeded there: otherwise it isn't told (CAP-17)."""

    consumed: Consumed
    succeeded: bool = False


def _response(context: Context, member: _Member, costs: dict[str, _BatchCost]) -> tuple[dict[str, Any], Done | None]:
    if member.fault is not None:
        return {"Error": _error(context, member.fault)}, None
    assert member.table is not None, "a member without fault has been worked out"
    assert member.planned is not None
    name = member.planned.table
    cost = costs.setdefault(member.table.name, _BatchCost(Consumed(name)))
    if member.action is None:
        cost.succeeded = True
        return {**_read_item(member, cost), "TableName": name}, None
    found, done = every(run(member.action))
    if done is None or done.change is None:
        cost.consumed.table += _attempt(member.action)
        told = _CODES.get(found[0].rule.error or "")
        return {"Error": _error(context, found[0]), **({"TableName": name} if told is not None else {})}, None
    cost.succeeded = True
    cost.consumed.write(member.table, done.change)
    assert not isinstance(member.planned, SelectPlan), "a SELECT has no action"
    item = at_work.returning(member.planned, done)
    return {**({"Item": item} if item is not None else {}), "TableName": name}, done


def _read_item(member: _Member, cost: _BatchCost) -> dict[str, Any]:
    assert member.table is not None, "a SELECT without fault has a table and a key"
    assert member.key is not None
    assert isinstance(member.planned, SelectPlan)
    record = member.table.get(member.key)
    size = record.size if record is not None else 0
    cost.consumed.table += read_units(size, consistent=bool(member.request.get("ConsistentRead")))
    if record is None:
        return {}
    show = at_work.shown(member.planned.columns)
    return {"Item": record.item if show is None else show(record.item)}


def _attempt(action: Action) -> float:
    """What a write that failed at its item costs: the larger of the stored item and the one it carries."""
    stored = action.table.get(key_of(action.table.key, action.key))
    carried = item_size(action.key) if action.kind == "put" else 0
    return write_units(max(stored.size if stored is not None else 0, carried))


def _error(context: Context, fault: Violation) -> dict[str, Any]:
    code = _CODES.get(fault.rule.error or "", "ValidationError")
    return {"Code": code, "Message": fault.message(context.surface)}


# ExecuteTransaction


@dataclass(slots=True)
class _Part:
    """A statement of a transaction on its way: what it reads as, what it asks for, and what it comes to."""

    position: int
    request: Mapping[str, Any]
    statement: Statement | None = None
    planned: Plan | None = None
    action: Action | None = None
    get: Get | None = None

    def placed(self, faults: Checks[Any] | Iterator[Violation]) -> Checks[Any]:
        """Faults as a transaction tells them: with the statement's number, but bad parameters without it."""
        while True:
            try:
                fault = next(faults)
            except StopIteration as stop:
                return stop.value
            yield fault if fault.rule.capability == "values" else _prefixed(fault, self.position)


def _prefixed(fault: Violation, position: int) -> Violation:
    rule, before = fault.rule, f"Validation failed in TransactStatements[{position}]: "
    worded = replace(
        rule,
        message=before + (rule.message or ""),
        older=None if rule.older is None else before + rule.older,
        accept=tuple(before + text for text in rule.accept),
    )
    return replace(fault, rule=worded)


def execute_transaction(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ExecuteTransaction: statements by themselves, then their tables, then their keys, then all at once."""
    if not complete("ExecuteTransaction", body):
        return None
    parts = [_Part(i, request) for i, request in enumerate(body["TransactStatements"])]
    for part in parts:
        yield from part.placed(_read_part(context, part))
    trees = [part.statement.tree for part in parts if part.statement is not None]
    if len({isinstance(tree, Insert | Change | Delete) or is_exists(tree) for tree in trees}) > 1:
        yield violation("partiql.transaction-mixed")
        return None
    for part in parts:
        yield from _bind(context, part)
    actions = [part.action for part in parts if part.action is not None]
    gets = [part.get for part in parts if part.get is not None]
    for action in actions:
        yield from value_faults(action)
    yield from duplicates([(a.table, a.key) for a in actions] + [(g.table, g.key) for g in gets])
    if len(actions) + len(gets) < len(parts):
        return None
    return (yield from _transact(context, body, actions, gets))


def _read_part(context: Context, part: _Part) -> Checks[None]:
    parsed = parse(part.request["Statement"])
    yield from faults_of(parsed)
    part.statement = yield from read(parsed, part.request.get("Parameters"))
    if part.statement is None:
        return
    yield from at_work.refused_index(context, part.statement.tree)
    planned = yield from plan(part.statement)
    if isinstance(planned, UpdatePlan | DeletePlan) and planned.returning is not None:
        yield violation("partiql.transaction-returning")
    if isinstance(planned, SelectPlan) and planned.index is not None:
        yield violation("partiql.transaction-index")
        planned = None
    if planned is not None and not isinstance(planned, ExistsPlan):
        yield from at_work.size_faults(planned)
    part.planned = planned


def _bind(context: Context, part: _Part) -> Checks[None]:
    """A statement and its table: the action or read it comes to."""
    planned = part.planned
    if planned is None:
        return
    name = planned.select.table if isinstance(planned, ExistsPlan) else planned.table
    table = yield from table_of(context, name)
    if table is None:
        return
    if isinstance(planned, SelectPlan):
        yield from part.placed(_bind_get(part, planned, table))
    elif isinstance(planned, ExistsPlan):
        yield from part.placed(_bind_check(part, planned, table))
    else:
        part.action = yield from part.placed(at_work.action_of(planned, table, return_old=_returns_old(part.request)))


def _bind_get(part: _Part, planned: SelectPlan, table: Table) -> Checks[None]:
    key = _only_key(planned, table)
    if key is None:
        yield violation("partiql.transaction-select-key")
        return
    projection = at_work.projection_of(planned.columns)
    part.get = Get(table, planned.table, key, projection, at_work.shown(planned.columns))


def _bind_check(part: _Part, planned: ExistsPlan, table: Table) -> Checks[None]:
    selected = planned.select
    meant = item_meant(selected.condition, table.key) if selected.index is None else None
    if meant is None or meant[1] is None:
        yield violation("partiql.transaction-exists")
        return
    part.action = Action(
        "check", table, selected.table, meant[0], None, meant[1], "present", return_old=_returns_old(part.request)
    )


def _transact(
    context: Context, body: dict[str, Any], actions: Sequence[Action], gets: Sequence[Get]
) -> Checks[Outcome | None]:
    digest = transactions.digest_of(body["TransactStatements"])
    token = body.get("ClientRequestToken")
    earlier = yield from remembered(context, token, digest)
    if gets:
        outcome = yield from read_all(context, body, gets)
        if outcome is None or token is None:
            return outcome
        return replace(outcome, effects=(remember(context.operation, token, digest, ()),))
    if earlier is not None:
        outcome = transactions.replayed(body, earlier)
    else:
        done = yield from run_all(context, actions)
        if done is None:
            return None
        outcome = transactions.commit(context, body, actions, done, digest)
    outcome.body["Responses"] = []
    return replace(outcome, rules=(*outcome.rules, "partiql.transaction-answer"))


OPERATIONS: dict[str, Operation] = {
    "ExecuteStatement": execute_statement,
    "BatchExecuteStatement": batch_execute_statement,
    "ExecuteTransaction": execute_transaction,
}
