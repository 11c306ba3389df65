"""UCI Online Retail (CC BY 4.0) as orders.csv and members.csv: ``python -m benchmarks.online_retail SOURCE.csv.gz OUT_DIR``.

Invoices ``C…`` are refunds, ``A…`` adjustments; lines keep their own numbers. Invitations are made up by
rule (each customer is invited by the one half as far down the list), because the data has none.
"""

import csv
import gzip
import sys
from pathlib import Path


def main(source: Path, out: Path, currency: str = "CNY") -> None:
    """Write both files."""
    out.mkdir(parents=True, exist_ok=True)
    first: dict[str, str] = {}
    with (
        gzip.open(source, "rt", encoding="utf-8", errors="replace", newline="") as file,
        (out / "orders.csv").open("w", encoding="utf-8", newline="") as target,
    ):
        writer = csv.writer(target)
        writer.writerow(
            [
                "order_no",
                "placed_at",
                "buyer",
                "kind",
                "refund_of",
                "sku",
                "title",
                "quantity",
                "unit_price",
                "currency",
                "sharer",
            ]
        )
        for row in csv.DictReader(file):
            no, when = row["InvoiceNo"], row["InvoiceDate"].replace(" ", "T")
            buyer = f"c{int(float(row['CustomerID']))}" if row["CustomerID"] else ""
            kind = {"C": "refund", "A": "adjustment"}.get(no[:1], "sale")
            if buyer and kind == "sale":
                first.setdefault(buyer, when)
            writer.writerow(
                [
                    no,
                    when,
                    buyer,
                    kind,
                    "",
                    row["StockCode"],
                    row["Description"].strip(),
                    row["Quantity"],
                    row["UnitPrice"],
                    currency,
                    "",
                ]
            )
    ordered = sorted(first, key=lambda b: (first[b], b))
    with (out / "members.csv").open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["member", "inviter", "joined_at", "name", "phone"])
        for i, buyer in enumerate(ordered):
            writer.writerow([buyer, ordered[i // 2] if i else "", first[buyer], "", ""])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
