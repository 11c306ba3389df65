"""Pixels beside the drawings: `python tools/art.py` (needs Chromium; run it when a drawing is new or changed).

Posters as pictures and previews in chat apps cannot show SVG. Each drawing of the goods gets a PNG of the same
name, 480 × 480 on the colour of a poster's stage; `share.png` (1200 × 630) is what a link to the mall looks like.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOMS = Path(__file__).resolve().parents[1] / "src" / "tongzhou"
ART = ROOMS / "design" / "static" / "tz" / "art"
GOODS = (ART / "goods", ROOMS / "catalog" / "static" / "tz" / "art" / "goods")
STAGE = "#f0e0c6"


def picture(page: Page, drawing: Path, size: tuple[int, int], inner: str) -> bytes:
    """A drawing as PNG with few colours."""
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    page.set_content(
        f"<style>*{{margin:0}}body{{background:{STAGE};display:grid;place-items:center;height:100vh}}"
        f"svg{{{inner}}}</style>{drawing.read_text(encoding='utf-8')}"
    )
    out = io.BytesIO()
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        shot.convert("RGB").quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> int:
    """Draw what is missing or older than its drawing; `--all` draws everything."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        for drawing in sorted(d for folder in GOODS for d in folder.glob("*.svg")):
            goal = drawing.with_suffix(".png")
            if "--all" in sys.argv or not goal.exists() or goal.stat().st_mtime < drawing.stat().st_mtime:
                goal.write_bytes(picture(page, drawing, (480, 480), "width:440px;height:440px"))
                print(goal.name)
        scene = picture(page, ART / "scene-river.svg", (1200, 630), "width:1200px;height:630px")
        (ART / "share.png").write_bytes(scene)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
