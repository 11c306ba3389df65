"""What a page shows of a name."""

_HAN = (0x3400, 0x9FFF)


def initial(name: str) -> str:
    """The one character an avatar shows: the last of a Chinese name (who somebody is called by), else the first letter.

    ``林小满`` → ``满``, ``anna lee`` → ``A``; without a name the mall's own 舟.
    """
    bare = name.strip()
    if not bare:
        return "舟"
    if _HAN[0] <= ord(bare[-1]) <= _HAN[1]:
        return bare[-1]
    return next((c for c in bare if c.isalnum()), bare[0]).upper()[:1]
