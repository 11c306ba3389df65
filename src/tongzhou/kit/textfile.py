"""Text files as people really send them: UTF-8 with or without a mark, UTF-16 of spreadsheets, Excel's Chinese."""

import codecs
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import invalid, not_found

MOST_BYTES = 200 * 1024 * 1024
_CHUNK = 1 << 20


def encoding_of(path: Path) -> str:
    """The encoding under which the whole file reads, found in bounded memory.

    *Refuses:* ``file_not_found``, ``file_unreadable``, ``file_too_large`` (200 MB), ``file_binary``,
    ``encoding_unknown``.
    """
    try:
        if not path.exists():
            raise not_found(_("没有这个文件：%(path)s") % {"path": path}, code="file_not_found")
        if not path.is_file():
            raise invalid(
                "file_unreadable", _("这不是一个文件。"), field="file", value=path, fix=_("给出文件，而不是文件夹。")
            )
        if path.stat().st_size > MOST_BYTES:
            raise invalid(
                "file_too_large",
                _("文件太大。"),
                field="file",
                value=path.name,
                rule=_("最大 200 MB"),
                fix=_("分成几份。"),
            )
        with path.open("rb") as file:
            head = file.read(_CHUNK)
    except OSError as error:
        raise invalid(
            "file_unreadable", _("打不开这个文件。"), field="file", value=path.name, rule=error.strerror or "",
            fix=_("核对文件的读取权限。"),
        ) from None  # fmt: skip
    wide = head[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    if b"\0" in head and not wide:
        raise invalid(
            "file_binary", _("这不是文本文件。"), field="file", value=path.name, fix=_("另存为 CSV（UTF-8）再导入。")
        )
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        if _reads(path, encoding):
            return encoding
    raise invalid(
        "encoding_unknown", _("看不懂这个文件的编码。"), field="file", value=path.name, fix=_("另存为 UTF-8。")
    )


def _reads(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
