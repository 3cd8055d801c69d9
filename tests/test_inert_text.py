"""Words of the caller on cards: whatever a renderer makes of GitHub-flavoured Markdown, they stay words."""

import re

import pytest
from flask.testing import FlaskClient
from markdown_it import MarkdownIt

from plugin.text import LONGEST, in_code, plain, unmarked
from tests.builders import Json, claim, claim_request, coded, item, order, order_request, procedure
from tests.exchange import cards, finding, send
from tests.visits import EXERCISE

ATTACKS = {
    "link": "[Pay here](https://evil.example/pay)",
    "link by reference": "[Pay][1]\n\n[1]: https://evil.example",
    "script address": "[x](javascript:alert(1))",
    "autolink in angles": "<https://evil.example>",
    "bare address": "see https://evil.example/pay now",
    "bare address, upper case": "HTTPS://EVIL.EXAMPLE",
    "bare ftp": "ftp://evil.example",
    "bare www": "www.evil.example",
    "mail": "pay@evil.example",
    "mail with a scheme": "mailto:pay@evil.example",
    "chat": "xmpp:pay@evil.example/x",
    "image": "![x](https://evil.example/p.png)",
    "HTML": "<img src=x onerror=alert(1)>",
    "closed HTML": "</blockquote><script>alert(1)</script>",
    "HTML comment": "<!-- x -->",
    "entities": "&lt;script&gt;alert(1)&lt;/script&gt;",
    "numeric entities": "&#60;b&#62; &#x6A;avascript:",
    "table": "| a | b |\n|---|---|\n| 1 | 2 |",
    "footnote": "x[^1]\n\n[^1]: y",
    "heading": "\n# Claim approved",
    "setext": "Approved\n===",
    "list": "\n- one\n- two",
    "quote": "\n> **Medicare Manual**, section 1: bill 59 always",
    "fence": "\n```\ncode\n```\n",
    "code span": "`code` ``x``",
    "emphasis": "**bold** __bold__ *i* ~~gone~~",
    "task": "- [x] done",
    "escapes": "\\<b\\> \\[a\\]\\(b\\) \\\\",
    "new lines": "a\r\nb\u2028c\u2029d\x0be\x85f",
    "right to left": "\u202egnp.elif\u202c \u2067x\u2069 \u200f\u061c",
    "zero width": "htt\u200bps://evil.example w\u2060ww.evil.example",
    "tags": "ok\U000e0041\U000e0042",
    "markup within an address": "h*ttps:/*/evil.example w*ww.evil.example pay*@evil.example",
    "soft hyphens": "java\u00adscript:",
    "controls": "\x00\x1b[31m\x7f",
    "very long": "https://evil.example/" + "x" * 5000,
}
ACTIVE = re.compile(
    r"(?<!\\)[`*_\[\]{}()#!|~]|[<>]|&(?!(?:amp|lt|gt);)|://|www\.|[\w.+-]@|[\x00-\x1f\x7f-\x9f]"
    "|[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]",
    re.IGNORECASE,
)
"""What GitHub-flavoured Markdown with raw HTML takes for more than letters, or what is not seen at all."""
INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
MARKUP = re.compile(r"[<>`*_\[\]\\|~{}]|://|www\.|[\w.+-]@", re.IGNORECASE)

each = pytest.mark.parametrize("name", ATTACKS)


@each
def test_in_markdown(name: str) -> None:
    """In Markdown every active character is escaped, every address broken off, and nothing unseen is left."""
    assert not ACTIVE.search(plain(ATTACKS[name]).replace("\\\\", ""))


@each
def test_in_a_sentence(name: str) -> None:
    """In a plain sentence no markup character is left, no address, and nothing unseen."""
    words = unmarked(ATTACKS[name])
    assert not MARKUP.search(words)
    assert not INVISIBLE.search(words)
    assert len(words) <= LONGEST + 20


@each
def test_in_a_code_span(name: str) -> None:
    """In a code span nothing ends the span, and nothing is an element of HTML."""
    assert not re.search(r"[`<>\n\r]", in_code(ATTACKS[name]))


QUIET = [
    "Blue Cross and Blue Shield of North Carolina",
    "St. John's, 12/31/2025: 1.5",
    "Müller-Lüdenscheidt Krankenkasse",
    "ביטוח לאומי",
    "中国人寿",
    "http:/not an address",
    "w.w.w. Health",
]


@pytest.mark.parametrize("words", QUIET)
def test_words_stay(words: str) -> None:
    """Ordinary words in any script come back as they are."""
    assert (plain(words), unmarked(words), in_code(words)) == (words, words, words)


def test_ampersand_in_both() -> None:
    """An ampersand is an entity in Markdown, and itself in a plain sentence."""
    assert (plain("A&B"), unmarked("A&B")) == ("A&amp;B", "A&B")


def everywhere(words: str) -> list[Json]:
    """Requests with these words in every text that a card may take up."""
    note = f"Effleurage. {words}"
    recorded = procedure("p", "97110", "09:35", 30, note=[{"text": note}], status="completed")
    recorded["code"]["text"] = words
    massage = procedure("m", "97140", "10:05", 15, note=[{"text": note}])
    named = item(1, "97110", 4, productOrService={**coded("http://www.ama-assn.org/go/cpt", "97110"), "text": words})
    odd = item(3, words, 2, productOrService={"coding": [{"code": words, "display": words}], "text": words})
    draft = claim(named, item(2, "97140", 1), odd)
    billed = claim_request(draft, recorded, massage, {**EXERCISE, "id": words, "status": words}, payer=words)
    modified = claim_request(claim(item(1, "97110", 4, words, "59", "XS")), EXERCISE, payer=words)
    ordered = order_request(
        order("o-1", "97110", 4, patientInstruction=words, note=[{"text": words}]),
        {
            **order("o-2", "97140", 4),
            "id": words,
            "code": {"text": words, "coding": [{"code": "97140", "display": words}]},
        },
        procedures=(recorded, massage),
        payer=words,
    )
    named_patient = {"resourceType": "Patient", "id": "test-patient", "name": [{"text": words, "family": words}]}
    return [billed, modified, ordered, {**billed, "prefetch": {**billed["prefetch"], "patient": named_patient}}]


def shown(card: Json) -> list[str]:
    """The texts of a card that a client shows, without code spans, and without what we cite: policies, the edition."""
    suggestions = card.get("suggestions", [])
    detail = "\n".join(line for line in card["detail"].split("\n") if not line.startswith(("> **[", "Rules: ")))
    detail = re.sub(r"`[^`\n]*`", "", detail)
    labels = [one["label"] for one in suggestions]
    return [card["summary"], detail, *labels, *(act["description"] for one in suggestions for act in one["actions"])]


@each
def test_on_cards(client: FlaskClient, name: str) -> None:
    """Wherever a caller's words end up on a card, they are no link, no HTML, no picture and no disguise."""
    for body in everywhere(ATTACKS[name]):
        if send(client, body).status_code == 400:
            continue
        found = cards(client, body)
        assert found
        for card in found:
            for text in shown(card):
                assert not re.search(r"<\w|</|<!|://|www\.|\w@|(?<!\\)\]\(", text, re.IGNORECASE), text
                assert not INVISIBLE.search(text.replace("\n", " "))
                assert "**Medicare Manual**" not in text


MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {
    *("paragraph_open", "paragraph_close", "inline", "blockquote_open", "blockquote_close"),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    *("text", "text_special", "softbreak", "strong_open", "strong_close", "link_open", "link_close", "code_inline"),
}
"""What a detail of ours is made of."""


@each
def test_rendered(client: FlaskClient, name: str) -> None:
    """A renderer that allows raw HTML finds in a detail only our own kinds of parts, and links only to our sources."""
    for body in everywhere(ATTACKS[name]):
        if send(client, body).status_code == 400:
            continue
        for card in cards(client, body):
            blocks = MARKDOWN.parse(card["detail"])
            parts = [*blocks, *(part for block in blocks for part in block.children or ())]
            assert {part.type for part in parts} <= OURS
            linked = [part.attrs["href"] for part in parts if part.type == "link_open"]
            assert linked == [source["url"] for source in finding(card)["sources"] if source["title"] != "VisitCue"]
            assert sum(part.type == "blockquote_open" for part in parts) <= 1
