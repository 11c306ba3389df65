"""An invitation forest out of a list of who trusts whom: ``source,target`` edges in the order of time.

The first who trusted somebody is their inviter, unless that would close a loop. The n-th person of the
graph (by first appearance) stands for the n-th member of the list; people beyond it are left out.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path


def forest(edges: Path, members: Sequence[str]) -> dict[str, str]:
    """member → inviter, over the given members."""
    place: dict[str, int] = {}
    parent: dict[str, str] = {}
    root: dict[str, str] = {m: m for m in members}
    for source, target in _edges(edges):
        for node in (source, target):
            place.setdefault(node, len(place))
        if place[source] >= len(members) or place[target] >= len(members):
            continue
        inviter, invitee = members[place[source]], members[place[target]]
        if invitee in parent or _top(root, inviter) == _top(root, invitee):
            continue
        parent[invitee] = inviter
        root[invitee] = inviter  # the invitee had no inviter, so it was the top of its own tree
    return parent


def _top(root: dict[str, str], node: str) -> str:
    while root[node] != node:
        root[node] = root[root[node]]
        node = root[node]
    return node


def _edges(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            yield row[0], row[1]


def write_members(path: Path, joined: dict[str, str], parent: dict[str, str]) -> None:
    """``members.csv`` (member, inviter, joined_at, name, phone)."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["member", "inviter", "joined_at", "name", "phone"])
        for member in joined:
            writer.writerow([member, parent.get(member, ""), joined[member], "", ""])
