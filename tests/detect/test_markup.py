"""Text stays text."""

from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import tostring

from hypothesis import given
from hypothesis import strategies as st

from strongroom.detect import say
from strongroom.detect.markup import el


class Read(HTMLParser):
    """The tags, attributes and text that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        """One more."""
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closes what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        self.text += data


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_text_becomes_markup(one: str, two: str, three: str) -> None:
    """Whatever stands in a text or an attribute: the tags are those that were made, and the text is shown."""
    html = tostring(el("p", {"title": one}, two, el("b", None, three), two), encoding="unicode", method="html")
    read = Read(html)
    assert read.tags == ["p", "b"]
    assert read.attributes == [("title", say.harmless(one))]
    assert read.text == say.harmless(two) + say.harmless(three) + say.harmless(two)
    assert read.open == []
    assert all(c.isprintable() for c in html)


def test_a_script_is_shown() -> None:
    """An analyst sees that somebody tried."""
    html = tostring(el("p", None, "<script>alert(1)</script>\x1b[2J"), encoding="unicode", method="html")
    assert html == "<p>&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J</p>"
