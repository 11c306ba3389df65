"""Static files, whose addresses a page asks for dozens of times and which never change while a process lives."""

from functools import cache

from django.contrib.staticfiles.storage import StaticFilesStorage


class KeptStaticStorage(StaticFilesStorage):
    """Django's own storage; each address is computed once."""

    def url(self, name: str | None) -> str:
        """The address of a static file."""
        return _url(self, name)


@cache
def _url(storage: KeptStaticStorage, name: str | None) -> str:
    return StaticFilesStorage.url(storage, name)
