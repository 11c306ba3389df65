"""Reading CSV as it really comes: any line ends, quoted newlines, BOM, other delimiters, Excel's Chinese encoding."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from tongzhou.catalog.imports.parts import Format, Report, Row
from tongzhou.kit.refusals import Refusal, invalid, not_found

MOST_BYTES = 200 * 1024 * 1024
MOST_CELL = 1_000_000
DELIMITERS = (",", ";", "\t")


def decoded(path: Path) -> str:
    """The file's text. *Refuses:* ``file_not_found``, ``file_too_large``, ``encoding_unknown``."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise invalid("file_too_large", _("文件太大。"), field="file", value=path.name, rule=_("最多 200 MB"))
        data = path.read_bytes()
    except OSError as error:
        raise not_found(_("读不到这个文件：%(path)s") % {"path": path}, code="file_not_found") from error
    encodings = ["utf-16"] if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise invalid(
        "encoding_unknown",
        _("认不出文件的编码。"),
        field="file",
        value=path.name,
        fix=_("另存为 UTF-8 的 CSV 再导入。"),
    )


def rows(path: Path, fmt: Format, report: Report) -> Iterator[Row]:
    """The records that are not blank. *Refuses:* as :func:`decoded`, and ``file_empty``, ``columns_missing``."""
    text = decoded(path)
    csv.field_size_limit(MOST_CELL)
    delimiter, names = _header(text, fmt)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    seen_header = False
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            report.refuse(start, "", error, "row_unreadable", _("这一行读不懂。"), _("检查这一行的引号。"))
            continue
        if not any(c.strip() for c in cells):
            continue
        if not seen_header:
            seen_header = True
            continue
        report.rows += 1
        if any("\x00" in c for c in cells):
            report.note(start, "", "␀", "nul_removed", _("这一行里有 NUL 字符，已去掉。"))
            cells = [c.replace("\x00", "") for c in cells]
        padded = [*cells, *[""] * len(names)][: len(names)]
        # Reversed, so that of two columns with one name the first counts.
        yield Row(start, dict(zip(reversed(names), reversed(padded), strict=True)))


def _header(text: str, fmt: Format) -> tuple[str, list[str]]:
    """The delimiter under which the header makes most sense, and the column names."""
    found = [(delimiter, _first_record(text, delimiter)) for delimiter in DELIMITERS]
    best = max(found, key=lambda f: sum(1 for one_of in fmt.required if one_of & set(f[1])))
    if not any(best[1]):
        raise invalid("file_empty", _("文件里没有内容。"), field="file")
    missing = [" | ".join(sorted(one_of)) for one_of in fmt.required if not one_of & set(best[1])]
    if missing:
        raise Refusal(
            "columns_missing", _("缺少这些列：%(names)s") % {"names": ", ".join(missing)}, field="file",
            value=", ".join(best[1])[:200], fix=_("确认选对了文件格式，并保留第一行的列名。"),
        )  # fmt: skip
    return best


def _first_record(text: str, delimiter: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if any(c.strip() for c in cells):
                return [c.strip().lstrip("\ufeff").casefold() for c in cells]
    except csv.Error:
        return []
    return []
