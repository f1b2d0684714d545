"""Machines only draw: their rules extend a program against a planner that never sees the target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, run_state_machine_as_test

from conformance.machines.seeding import by_seed_alone
from conformance.program import Program, Step
from conformance.strategies import schemas
from conformance.strategies.draws import chance
from conformance.strategies.mistakes import spoil
from conformance.strategies.schemas import Features, TableWorld
from conformance.symbols import SymbolError, bind
from reference.account import Account
from reference.api import Call, Item, Json, Success
from reference.service import Service

PROGRAMS_PER_CHUNK = 25
STEPS = 14


class ProgramMachine(RuleBasedStateMachine):
    """Draws one program. Subclasses name their ``capability`` and add rules that call ``step``."""

    capability: ClassVar[str] = ""
    tables_wanted: ClassVar[int] = 1
    with_indexes: ClassVar[bool] = True
    odd_names: ClassVar[bool] = True
    mistakes_percent: ClassVar[int] = 12
    own: ClassVar[Sequence[TableWorld]] = ()
    """The user's own tables, which take the place of the handful."""
    sink: ClassVar[Callable[[Program], None]]

    def __init__(self) -> None:
        super().__init__()
        self.planner = Service(Account())
        self.names: dict[str, str] = {"token:a": "token-a", "token:b": "token-b"}
        self.worlds: list[TableWorld] = []
        self.setup: dict[str, Json] = {}
        self.features = Features()
        self.steps: list[Step] = []
        self.replies: dict[int, Json] = {}
        self.pages: list[tuple[Step, int]] = []
        self.written_large = False

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Draw the tables and what this program does without."""
        self.features = schemas.features(data.draw)
        for number in range(self.tables_wanted):
            world = self.draw_table(data, f"t{number}")
            self.worlds.append(world)
            self.names[f"table:{world.symbol}"] = f"table-{world.symbol}"
            self.names[f"arn:{world.symbol}"] = self.planner.account.arn(f"table/table-{world.symbol}")
            body = self.create_body(data, world)
            made = self.planner.execute(Call("CreateTable", bind(body, self.names, {})))
            self.replies[len(self.setup)] = made.body if isinstance(made, Success) else None
            self.setup[world.symbol] = body

    def create_body(self, data: st.DataObject, world: TableWorld) -> Json:
        """The request that makes one of the program's tables."""
        return world.create()

    def draw_table(self, data: st.DataObject, symbol: str) -> TableWorld:
        """The schema of one of the program's tables."""
        return schemas.table(
            data.draw,
            symbol,
            indexes=self.with_indexes and self.features.on("indexes"),
            odd_names=self.odd_names and self.features.on("odd-values"),
            own=self.own,
        )

    def known(self, world: TableWorld) -> list[Item]:
        """The items the planner holds in a table."""
        table = self.planner.account.table(self.names[f"table:{world.symbol}"])
        return [] if table is None else list(table.items())

    def step(self, data: st.DataObject, operation: str, world: TableWorld, body: Json) -> int:
        """Add a call to the program, spoilt now and then; returns its op index."""
        if self.wrongly(data):
            body = spoil(data.draw, operation, world, body)
        return self.plain_step(operation, body)

    def wrongly(self, data: st.DataObject) -> bool:
        """Whether the next request shall have a mistake."""
        return self.features.on("mistakes") and chance(data.draw, self.mistakes_percent)

    def plain_step(self, operation: str, body: Json) -> int:
        """Add a call to the program as it is; returns its op index."""
        index = len(self.setup) + len(self.steps)
        step = Step(operation, body)
        self.steps.append(step)
        try:
            reply = self.planner.execute(Call(operation, bind(body, self.names, self.replies)))
        except SymbolError:
            return index
        if isinstance(reply, Success):
            self.replies[index] = reply.body
            if isinstance(reply.body, dict) and "LastEvaluatedKey" in reply.body:
                self.pages.append((step, index))
        return index

    def raw_step(self, operation: str, body: Json, raw: Json) -> int:
        """Add a call below the SDK; the planner takes it for having no effect."""
        self.steps.append(Step(operation, body, raw))
        return len(self.setup) + len(self.steps) - 1

    def teardown(self) -> None:
        """Hand the program over."""
        if self.worlds and self.steps:
            type(self).sink(Program(self.capability, self.setup, tuple(self.steps)))


def draw_chunk(
    machine: type[ProgramMachine],
    chunk_seed: int,
    programs: int = PROGRAMS_PER_CHUNK,
    steps: int = STEPS,
    own: Sequence[TableWorld] = (),
) -> list[Program]:
    """The programs of one seeded chunk: the same ones for the same seed, Hypothesis version and machine.

    They are drawn over the user's ``own`` tables where there are any.
    """
    drawn: list[Program] = []
    chunk: Any = type(machine.__name__, (machine,), {"sink": drawn.append, "own": own})
    quiet = settings(
        max_examples=programs, stateful_step_count=steps, phases=[Phase.generate], database=None, deadline=None,
        suppress_health_check=list(HealthCheck), derandomize=False, print_blob=False, report_multiple_bugs=False,
    )  # fmt: skip
    with by_seed_alone():
        run_state_machine_as_test(seed(chunk_seed)(chunk), settings=quiet)
    return drawn
