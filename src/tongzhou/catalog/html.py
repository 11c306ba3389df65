"""Descriptions: what HTML of other people may stay, and how plain text becomes paragraphs."""

import re

import nh3

_TAGS = {
    "p", "br", "strong", "b", "em", "i", "u", "s", "ul", "ol", "li", "h2", "h3", "h4", "blockquote", "a", "table",
    "thead", "tbody", "tr", "th", "td", "sub", "sup", "hr",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    clean_content_tags={"script", "style", "iframe", "object", "template"},
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel="nofollow noopener noreferrer",
)


def clean_html(text: str) -> str:
    """HTML that is safe to print: scripts, styles, pictures from elsewhere and odd links are gone.

    A text without any tag becomes paragraphs, one per line.
    """
    text = "".join(c for c in text if c in "\n\t" or (ord(c) >= 32 and not 0xD800 <= ord(c) <= 0xDFFF))
    if not re.search(r"<[a-zA-Z/!]", text):
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        text = "".join(f"<p>{line}</p>" for line in lines)
    return str(_CLEANER.clean(text)).strip()


def plain(html: str) -> str:
    """The words of a description, for meta tags and search."""
    return re.sub(r"\s+", " ", nh3.clean(html.replace("<", " <"), tags=set())).strip()
