"""Carriers with their tracking codes (data/carriers.csv, see data/NOTICE), and what they are called in English."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

COMMON = (
    "shunfeng",
    "zhongtong",
    "yuantong",
    "yunda",
    "shentong",
    "jd",
    "ems",
    "youzhengguonei",
    "jtexpress",
    "debangwuliu",
)
# What a carrier calls itself in English, or is widely called. The others are shown by their code, which is their
# pinyin, with the Chinese name that stands on the label behind it.
ENGLISH = {
    "shunfeng": "SF Express", "zhongtong": "ZTO Express", "yuantong": "YTO Express", "yunda": "Yunda Express",
    "shentong": "STO Express", "jd": "JD Logistics", "ems": "EMS", "youzhengguonei": "China Post", "jtexpress": "J&T Express",
    "debangwuliu": "Deppon", "debangkuaidi": "Deppon Express", "huitongkuaidi": "Best Express", "baishiwuliu": "Best Freight",
    "tiantian": "TTK Express", "zhongyouex": "ZYE Express", "youshuwuliu": "UC Express", "zhongtongkuaiyun": "ZTO Freight",
    "zhaijisong": "ZJS Express", "suning": "Suning Logistics", "yundakuaiyun": "Yunda Freight", "annengwuliu": "ANE Freight",
    "ane66": "ANE Express", "kuayue": "KYE Express", "yuantongkuaiyun": "YTO Freight", "zhongyouwuliu": "China Post Logistics",
    "annto": "Annto Logistics", "danniao": "Danniao", "suer": "Sure Express", "yimidida": "Yimidida", "disifang": "4PX",
    "rrs": "RRS Logistics", "sxjdfreight": "SXJD Freight", "ztky": "China Railway Express", "tiandihuayu": "Hoau Logistics",
    "lianbangkuaidi": "FedEx China", "longbanwuliu": "Lbex", "guotongkuaidi": "GTO Express", "jiuyescm": "Jiuye Cold Chain",
    "rufengda": "Rufengda", "wanxiangwuliu": "Wanxiang Logistics", "yw56": "Yanwen", "jiayunmeiwuliu": "JYM Logistics",
    "quanfengkuaidi": "QF Express", "fengwang": "Fengwang Express", "shunfenghk": "SF Express Hong Kong",
    "shunfengtongcheng": "SF Intra-city", "dhl": "DHL China", "dhlen": "DHL", "upsen": "UPS",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier: the code its trackers know, and its name in both languages."""

    code: str
    name: str

    @property
    def name_en(self) -> str:
        """Its English name; without one, its code as a word and the Chinese name."""
        if self.code in ENGLISH:
            return ENGLISH[self.code]
        return self.name if self.name.isascii() else f"{self.code.capitalize()} {self.name}"


@cache
def all_carriers() -> dict[str, Carrier]:
    """Every carrier by code, the common ones first."""
    path = Path(__file__).parent / "data" / "carriers.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = {r["code"].strip(): r["name"].strip() for r in csv.DictReader(file) if r["code"].strip()}
    order = [c for c in COMMON if c in found] + sorted(c for c in found if c not in COMMON)
    return {code: Carrier(code, found[code]) for code in order}


def resolve(text: str) -> Carrier | None:
    """The carrier somebody means: its code, its name, or words that only one of the common ones, or only one of all, has."""
    low = text.strip().lower()
    known = all_carriers()
    if low in known:
        return known[low]
    named = [c for c in known.values() if low in (c.name.lower(), c.name_en.lower())]
    if named:
        return named[0]
    near = [c for c in known.values() if low and _has(c, low)]
    common = [c for c in near if c.code in COMMON]
    return common[0] if len(common) == 1 else near[0] if len(near) == 1 else None


def search(text: str = "", limit: int = 30) -> list[Carrier]:
    """Carriers whose name or code holds the text, the common ones first."""
    low = text.strip().lower()
    return [c for c in all_carriers().values() if low in c.code or _has(c, low)][:limit]


def shown(code: str, name: str = "") -> Carrier:
    """The carrier kept under a code, for a page; one that is not in the list is called what was kept of it."""
    return all_carriers().get(code) or Carrier(code, name or code)


def _has(carrier: Carrier, low: str) -> bool:
    return low in carrier.name.lower() or low in ENGLISH.get(carrier.code, "").lower()
