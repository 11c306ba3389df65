"""Files somebody tried out and may take for real a moment later: kept a day below the data directory, by an unguessable name."""

import re
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import invalid

MOST_BYTES = 20 * 1024 * 1024
KEPT_SECONDS = 24 * 3600


def _home() -> Path:
    home = Path(settings.TONGZHOU_HOME) / "uploads"
    home.mkdir(exist_ok=True, mode=0o700)
    return home


def keep(upload: Any) -> str:
    """Put an upload aside; the token it is found by. *Refuses:* ``file_missing``, ``file_too_large``."""
    if upload is None:
        raise invalid("file_missing", _("请选一个 CSV 文件。"), field="file")
    if (upload.size or 0) > MOST_BYTES:
        raise invalid("file_too_large", _("文件太大。"), field="file", value=upload.size, rule=_("最多 20 MB"))
    home = _home()
    for old in home.iterdir():
        if old.stat().st_mtime < time.time() - KEPT_SECONDS:
            old.unlink(missing_ok=True)
    token = new_id().hex
    stem = re.sub(r"[^\w.-]+", "_", Path(upload.name or "file.csv").name)[-60:]
    with (home / f"{token}-{stem}").open("wb") as out:
        for chunk in upload.chunks():
            out.write(chunk)
    return token


def find(token: str) -> Path:
    """Where a kept file is. *Refuses:* ``file_missing`` (kept a day only)."""
    found = next(_home().glob(f"{token}-*"), None) if re.fullmatch(r"[0-9a-f]{32}", token) else None
    if found is None:
        raise invalid("file_missing", _("这个文件不在了，请再选一次。"), field="file")
    return found
