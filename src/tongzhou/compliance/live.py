"""Findings over what really happened: the reward graph and the nightly figures. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tongzhou.compliance.values import Finding, Profile, Severity


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """One night's figures. ``edges`` are payer → payee pairs of paid rewards, seen from buyer to earner.

    ``rewards_minor`` and ``own_retail_minor`` are per person over the period.
    """

    edges: tuple[tuple[str, str], ...] = ()
    has_fee: bool = False
    has_headcount: bool = False
    retail_minor: int = 0
    participant_minor: int = 0
    payout_beyond_depth_1_minor: int = 0
    headcount_reward_minor: int = 0


def layers(edges: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Size and longest upward chain of the largest connected group of a reward graph (payee earns from payer)."""
    up: dict[str, set[str]] = {}
    near: dict[str, set[str]] = {}
    for payer, payee in edges:
        up.setdefault(payer, set()).add(payee)
        near.setdefault(payer, set()).add(payee)
        near.setdefault(payee, set()).add(payer)
    best, seen = (0, 0), set[str]()
    for start in near:
        if start in seen:
            continue
        group, todo = {start}, [start]
        while todo:
            for other in near[todo.pop()]:
                if other not in group:
                    group.add(other)
                    todo.append(other)
        seen |= group
        best = max(best, (len(group), _longest(group, up)))
    return best


def _longest(group: set[str], up: Mapping[str, set[str]]) -> int:
    """Longest chain in people, walking upward; a loop stops where it would repeat."""
    depth: dict[str, int] = {}
    for start in group:
        stack = [(start, iter(up.get(start, ())))]
        on_path = {start}
        while stack:
            node, rest = stack[-1]
            nxt = next((n for n in rest if n not in on_path), None)
            if nxt is not None and nxt not in depth:
                stack.append((nxt, iter(up.get(nxt, ()))))
                on_path.add(nxt)
                continue
            if nxt is None:
                depth[node] = 1 + max((depth.get(n, 0) for n in up.get(node, ())), default=0)
                on_path.discard(node)
                stack.pop()
    return max(depth.values(), default=0)


def check_live(figures: LiveFigures, profile: Profile) -> tuple[Finding, ...]:
    """CN-CRIM, US-51, US-80 and the monitors that must stay at zero."""
    out: list[Finding] = []

    def say(rule_id: str, path: str, seen: object) -> None:
        rule = profile.rules.get(rule_id)
        if rule:
            out.append(
                Finding(rule.id, Severity.BLOCK, path, str(seen), rule.message, rule.message_en, rule.citation,
                        rule.citation_en, rule.fix, rule.fix_en)
            )  # fmt: skip

    people, deep = layers(figures.edges)
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
    return tuple(out)
