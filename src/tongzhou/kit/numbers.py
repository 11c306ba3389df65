"""Numbers in what a request says."""


def whole(text: str, *, digits: int = 9) -> int | None:
    """``text`` as a whole number of at most ``digits`` digits 0–9; None for anything else.

    ``str.isdigit`` alone also says yes to ``²`` and ``①``, which ``int`` cannot read.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None
