"""Cycles in a graph of dependencies, and the weakest anomaly that each proves."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

TRIES = 2_000
"""How many anti-dependencies of one component are tried for a cycle of their own."""

Cycle = list[tuple[int, int, "Edge"]]


@dataclass(frozen=True, slots=True)
class Edge:
    """Why one transaction comes before another.

    ``ww``: it wrote the version before; ``wr``: its write was read; ``rw``: it read what the other then replaced.
    """

    kind: str
    key: str
    before: int | None
    after: int | None

    def prose(self, source: str, target: str) -> str:
        """The dependency as a sentence."""
        if self.kind == "ww":
            what = f"{target} appended {self.after} to {self.key} after {source} appended {self.before}"
            return f"{source} < {target}: {what}"
        if self.kind == "wr":
            return f"{source} < {target}: {target} saw {source}'s append of {self.before} to {self.key}"
        if self.before is None:
            return f"{source} < {target}: {source} saw {self.key} empty, before {target} appended {self.after}"
        return (
            f"{source} < {target}: {source} saw {self.key} end in {self.before}, "
            f"and did not see {target}'s append of {self.after}"
        )


@dataclass(slots=True)
class Graph:
    """Edges between transactions by kind; of several alike between two transactions one is kept."""

    edges: dict[str, dict[int, dict[int, Edge]]] = field(
        default_factory=lambda: {kind: defaultdict(dict) for kind in ("ww", "wr", "rw")}
    )
    size: int = 0

    def link(self, source: int, target: int, edge: Edge) -> None:
        """Add an edge."""
        known = self.edges[edge.kind][source]
        if target not in known:
            known[target] = edge
            self.size += 1

    def successors(self, kinds: Sequence[str], within: Collection[int] | None = None) -> dict[int, list[int]]:
        """The nodes each node leads to by edges of these kinds, inside a set of nodes."""
        found: dict[int, list[int]] = {}
        for kind in kinds:
            for source, targets in self.edges[kind].items():
                if within is None:
                    found.setdefault(source, []).extend(targets)
                elif source in within:
                    found.setdefault(source, []).extend(t for t in targets if t in within)
        return found

    def edge(self, source: int, target: int, kinds: Sequence[str]) -> Edge:
        """The strongest edge between two nodes; KeyError where there is none."""
        for kind in kinds:
            edge = self.edges[kind].get(source, {}).get(target)
            if edge is not None:
                return edge
        raise KeyError((source, target))


def classify(graph: Graph) -> Iterator[tuple[str, Cycle]]:
    """For each knot of transactions the weakest anomaly, with a short cycle that proves it."""
    known: set[int] = set()
    for name, kinds in (("G0", ("ww",)), ("G1c", ("ww", "wr"))):
        for component in components(graph.successors(kinds)):
            if not known & component:
                known |= component
                cycle = shortest(graph.successors(kinds, component), component)
                yield name, _edges(graph, cycle, kinds)
    every = ("ww", "wr", "rw")
    for component in components(graph.successors(every)):
        if known & component:
            continue
        single = _single(graph, component)
        if single is not None:
            yield "G-single", single
        else:
            yield "G2-item", _edges(graph, shortest(graph.successors(every, component), component), every)


def _single(graph: Graph, component: set[int]) -> Cycle | None:
    """A cycle with exactly one anti-dependency, the shortest of those tried."""
    inner = graph.successors(("ww", "wr"), component)
    best: tuple[int, int, list[int]] | None = None
    tries = 0
    for source, targets in graph.edges["rw"].items():
        if source not in component:
            continue
        for target in targets:
            if target not in component or tries >= TRIES:
                continue
            tries += 1
            path = _path(inner, target, source)
            if path is not None and (best is None or len(path) < len(best[2])):
                best = (source, target, path)
                if len(path) == 2:
                    break
    if best is None:
        return None
    source, target, path = best
    first: Cycle = [(source, target, graph.edges["rw"][source][target])]
    return first + [(a, b, graph.edge(a, b, ("ww", "wr"))) for a, b in pairwise(path)]


def _edges(graph: Graph, cycle: Sequence[int], kinds: Sequence[str]) -> Cycle:
    return [(a, b, graph.edge(a, b, kinds)) for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True)]


def components(successors: Mapping[int, Sequence[int]]) -> list[set[int]]:
    """The strongly connected components of more than one node, by Tarjan's algorithm without recursion."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[int] = []
    found: list[set[int]] = []
    for root in list(successors):
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(successors.get(root, ())))]
        while work:
            node, rest = work[-1]
            for target in rest:
                if target not in number:
                    number[target] = low[target] = len(number)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(successors.get(target, ()))))
                    break
                if target in on_stack and number[target] < low[node]:
                    low[node] = number[target]
            else:
                work.pop()
                if work and low[node] < low[work[-1][0]]:
                    low[work[-1][0]] = low[node]
                if low[node] == number[node]:
                    component = set()
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.add(member)
                        if member == node:
                            break
                    if len(component) > 1:
                        found.append(component)
    return found


def shortest(successors: Mapping[int, Sequence[int]], component: Collection[int]) -> list[int]:
    """A short cycle in a strongly connected component: the shortest through any of its first 50 nodes."""
    best: list[int] = []
    for node in sorted(component)[:50]:
        path = _path(successors, node, node)
        if path is not None and (not best or len(path) - 1 < len(best)):
            best = path[:-1]
            if len(best) == 2:
                break
    return best


def _path(successors: Mapping[int, Sequence[int]], start: int, goal: int) -> list[int] | None:
    """The shortest path of at least one edge, breadth first."""
    came: dict[int, int] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for target in successors.get(node, ()):
            if target == goal:
                path = [goal, node]
                while path[-1] != start:
                    path.append(came[path[-1]])
                return path[::-1]
            if target not in came and target != start:
                came[target] = node
                queue.append(target)
    return None
