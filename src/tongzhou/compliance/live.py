"""Findings over what really happened: the reward graph and the nightly figures. Pure."""

from collections.abc import Hashable, Iterable, Mapping, Set
from dataclasses import dataclass

from tongzhou.compliance.values import Finding, Profile, Severity


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """One night's figures. ``edges`` are payer → payee pairs of paid rewards, seen from buyer to earner;
    ``graph`` is what they came to (people, layers) where they are too many to hand over.
    """

    edges: tuple[tuple[str, str], ...] = ()
    has_fee: bool = False
    has_headcount: bool = False
    retail_minor: int = 0
    participant_minor: int = 0
    payout_beyond_depth_1_minor: int = 0
    headcount_reward_minor: int = 0
    graph: tuple[int, int] = (0, 0)
    over_30: int = 0


class Web:
    """The graph of paid rewards, buyer → earner, held small: people are joined as they come, and only edges
    between people who earn are kept, because a chain goes on no further than somebody who earns.
    """

    def __init__(self, earners: Set[Hashable]) -> None:
        self.earners = earners
        self.number: dict[Hashable, int] = {}
        self.top: list[int] = []
        self.size: list[int] = []
        self.fed: set[int] = set()
        self.up: dict[int, set[int]] = {}

    def add(self, payer: Hashable, payee: Hashable) -> None:
        """One buyer from whose order somebody earns; the same pair again changes nothing."""
        a, b = self._of(payer), self._of(payee)
        if payer in self.earners:
            self.up.setdefault(a, set()).add(b)
        else:
            self.fed.add(b)
        ra, rb = self._root(a), self._root(b)
        if ra != rb:
            if self.size[ra] < self.size[rb]:
                ra, rb = rb, ra
            self.top[rb] = ra
            self.size[ra] += self.size[rb]

    def _of(self, who: Hashable) -> int:
        found = self.number.get(who)
        if found is None:
            found = self.number[who] = len(self.top)
            self.top.append(found)
            self.size.append(1)
        return found

    def _root(self, node: int) -> int:
        while self.top[node] != node:
            self.top[node] = self.top[self.top[node]]
            node = self.top[node]
        return node

    def worst(self) -> tuple[int, int]:
        """People and longest upward chain (in people) of the group nearest to the line of CN-CRIM, else the largest."""
        nodes = self.fed | self.up.keys() | {p for ups in self.up.values() for p in ups}
        chain = _longest(nodes, self.up)
        deep: dict[int, int] = {}
        for node in nodes:
            root = self._root(node)
            deep[root] = max(deep.get(root, 0), chain[node] + (node in self.fed))
        groups = [(self.size[root], layers) for root, layers in deep.items()]
        return max(groups, key=lambda g: (g[0] >= 30 and g[1] >= 3, *g), default=(0, 0))


def layers(edges: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Size and longest upward chain of the gravest connected group of a reward graph (payee earns from payer)."""
    pairs = list(edges)
    web = Web({payee for _payer, payee in pairs})
    for payer, payee in pairs:
        web.add(payer, payee)
    return web.worst()


def _longest(nodes: Iterable[int], up: Mapping[int, set[int]]) -> dict[int, int]:
    """Longest chain in people above and with each node; a loop stops where it would repeat."""
    depth: dict[int, int] = {}
    for start in nodes:
        if start in depth:
            continue
        stack = [(start, iter(up.get(start, ())))]
        on_path = {start}
        while stack:
            node, rest = stack[-1]
            nxt = next((n for n in rest if n not in on_path and n not in depth), None)
            if nxt is not None:
                stack.append((nxt, iter(up.get(nxt, ()))))
                on_path.add(nxt)
                continue
            depth[node] = 1 + max((depth.get(n, 0) for n in up.get(node, ())), default=0)
            on_path.discard(node)
            stack.pop()
    return depth


def check_live(figures: LiveFigures, profile: Profile) -> tuple[Finding, ...]:
    """CN-CRIM, US-51, US-80 and the monitors that must stay at zero."""
    out: list[Finding] = []

    def say(rule_id: str, path: str, seen: object, severity: Severity = Severity.BLOCK) -> None:
        rule = profile.rules.get(rule_id)
        if rule:
            out.append(
                Finding(rule.id, severity, path, str(seen), rule.message, rule.message_en, rule.citation,
                        rule.citation_en, rule.fix, rule.fix_en)
            )  # fmt: skip

    people, deep = layers(figures.edges) if figures.edges else figures.graph
    if people >= 30 and deep >= 3 and (figures.has_fee or figures.has_headcount):
        say("CN-CRIM", "graph", f"{people} people, {deep} layers")
    if figures.headcount_reward_minor:
        say("CN-HEAD", "rewards", figures.headcount_reward_minor)
    if figures.payout_beyond_depth_1_minor and profile.max_depth == 1:
        say(f"{profile.code}-DEPTH", "rewards", figures.payout_beyond_depth_1_minor)
    total = figures.retail_minor + figures.participant_minor
    if figures.participant_minor * 2 > total:
        say("US-51", "retail", f"{figures.participant_minor}/{total}")
    if total and figures.retail_minor * 100 < total * 80:
        say("US-80", "retail", f"{figures.retail_minor}/{total}")
    if figures.over_30:
        say("CN-CAP30", "people", figures.over_30, Severity.REVIEW)
    return tuple(out)
