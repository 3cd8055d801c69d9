"""The corpus of FHIR inputs in `tests/fhir`, each beside the facts that are right for it.

`python -m tests.fhir_corpus NAME` prints what is read from an input today, as a draft of its facts file.
"""

import datetime as dt
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cds_hooks.outcome import Refusal
from mappings.visit import Facts, History, Interval, Line, Minutes, Visit
from plugin.answer import Setup
from plugin.documents import review_document
from plugin.services import services
from plugin.settings import Settings
from tests.builders import KEYS
from tests.exchange import SERVICE_OF
from tests.facts_of import TODAY

Plain = dict[str, Any]
"""Facts as they stand in a facts file: without defaults, sets as sorted words, minutes as "25 from <where>"."""

FOLDER = Path(__file__).parent / "fhir"
_SERVICES = services(Settings())
_SETUP = Setup("hns", TODAY)
_NO_VISIT = Visit("", TODAY, "", msgspec.UNSET, ())  # type: ignore[arg-type]
_NO_LINE = Line("", "", draft=True)


class KnownGap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is not read rightly yet: why, and what is read today at each place where that shows."""

    why: str
    today: Plain


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An input and what is right for it.

    `valid` says that it is valid FHIR of `version`; `ordered` that the order of its entries carries meaning;
    `withheld` names the prefetch keys that are not sent (those that the input does not name are sent as null).
    """

    name: str
    body: Any
    about: str
    valid: bool = False
    version: str = "R4"
    ordered: bool = False
    withheld: tuple[str, ...] = ()
    known_gap: tuple[KnownGap, ...] = ()
    refused: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    visit: tuple[Plain, ...] = ()

    @property
    def right(self) -> Plain:
        """The facts that are right."""
        told = {"refused": self.refused, "gaps": self.gaps, "unavailable": self.unavailable, "visit": self.visit}
        return {name: list(value) for name, value in told.items() if value}


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read_case(name: str) -> Case:
    """An input with its facts file; the prefetch keys that a request does not name are null unless withheld."""
    told = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    case = msgspec.convert({**told, "name": name, "body": None}, Case)
    return msgspec.structs.replace(case, body=read_body(name, case.withheld))


def read_body(name: str, withheld: tuple[str, ...] = ()) -> Any:
    body = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    if "prefetch" in body:
        named = [key for key in KEYS[SERVICE_OF[body["hook"]]] if key not in withheld]
        body["prefetch"] = dict.fromkeys(named) | body["prefetch"]
    return body


def facts_of(body: Any) -> Facts:
    """The facts of a hook request, a resource or a Bundle, by the way that every one takes; raises Refusal."""
    return review_document(json.dumps(body).encode(), _SERVICES, _SETUP).facts


def plain_facts(body: Any) -> Plain:
    """What is read from an input today."""
    try:
        return plain(facts_of(body))
    except Refusal as refusal:
        return {"refused": [issue.path for issue in refusal.issues]}


def plain(facts: Facts) -> Plain:
    told = {
        "gaps": [f"{gap.path}: {gap.reason}" for gap in facts.gaps],
        "unavailable": [gap.path for gap in facts.unavailable],
        "visit": [_visit(visit) for visit in facts.visits],
    }
    return {name: value for name, value in told.items() if value}


def _visit(visit: Visit) -> Plain:
    told = _told(visit, _NO_VISIT)
    told["payer"] = visit.payer.book
    told |= {"payer_saw": list(visit.payer.saw)} if visit.payer.saw else {}
    told |= {"line": [_told(line, _NO_LINE) for line in visit.lines]} if visit.lines else {}
    told |= {"elsewhere": [line.ref for line in visit.elsewhere]} if visit.elsewhere else {}
    return {name: value for name, value in told.items() if name != "lines"}


def _told(value: msgspec.Struct, usual: msgspec.Struct) -> Plain:
    return {
        name: _value(getattr(value, name))
        for name in value.__struct_fields__
        if getattr(value, name) != getattr(usual, name)
    }


def _value(value: object) -> Any:
    match value:
        case Minutes():
            return f"{value.value} from {value.read_from}"
        case Interval():
            return f"{value.start.isoformat()}/{value.end.isoformat()}"
        case History():
            return _told(value, History())
        case msgspec.Struct():
            return {name: _value(getattr(value, name)) for name in value.__struct_fields__}
        case dt.date():
            return value
        case frozenset():
            return " ".join(sorted(value))
        case tuple():
            return [_value(one) for one in value]
        case _:
            return value


NOTHING = "nothing"


def differences(right: Any, read: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Each place at which what was read is not right, with what was read there; a whole visit or line is named only."""
    if at == "gaps":
        yield from _of_gaps(right or [], read or []).items()
    elif isinstance(right, dict) and isinstance(read, dict):
        for name in dict.fromkeys([*right, *read]):
            yield from differences(right.get(name), read.get(name), f"{at}.{name}" if at else name)
    elif isinstance(right, list) and isinstance(read, list) and _is_of_tables([*right, *read]):
        of_right, of_read = _by_name(right), _by_name(read)
        for name in dict.fromkeys([*of_right, *of_read]):
            yield from differences(of_right.get(name), of_read.get(name), f"{at}[{name}]")
    elif right != read:
        yield at, _named(read)


def _named(read: Any) -> Any:
    if isinstance(read, dict):
        return read.get("ref") or str(read.get("date"))
    return NOTHING if read is None else [_named(one) for one in read] if isinstance(read, list) else read


def _is_of_tables(value: list[Any]) -> bool:
    return all(isinstance(one, dict) for one in value)


def _by_name(tables: list[Plain]) -> Plain:
    """Lines by their references, so that one too many moves no other; visits, and lines without a name, by place."""
    refs = [one.get("ref", "") for one in tables]
    return {
        ref if ref and refs.count(ref) == 1 else str(place): one
        for place, (ref, one) in enumerate(zip(refs, tables, strict=True))
    }


def _of_gaps(right: list[str], read: list[str]) -> Plain:
    """A gap is right where its path is, and its reason has the words that the facts file gives."""
    left, wrong = list(read), {}
    for one in right:
        path, _, words = one.partition(": ")
        found = next((gap for gap in left if gap.startswith(f"{path}: ") and words in gap), None)
        if found is None:
            wrong[f"gaps: {path}"] = NOTHING
        else:
            left.remove(found)
    return wrong | {f"gaps: {gap.partition(': ')[0]}": gap.partition(": ")[2] for gap in left}


def draft(name: str) -> str:
    """What is read from an input today as a facts file."""
    found = plain_facts(read_body(name))
    written = ['about = ""']
    written += [f"{key} = {_toml(found[key])}" for key in ("refused", "gaps", "unavailable") if key in found]
    for visit in found.get("visit", []):
        written += ["", "[[visit]]", *(f"{key} = {_toml(value)}" for key, value in visit.items() if key != "line")]
        for line in visit.get("line", []):
            written += ["", "[[visit.line]]", *(f"{key} = {_toml(value)}" for key, value in line.items())]
    return "\n".join([*written, ""])


def _toml(value: Any) -> str:
    """A TOML value; lists that do not fit on a line have a line each."""
    match value:
        case dict():
            return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
        case list():
            parts = [_toml(one) for one in value]
            flat = f"[{', '.join(parts)}]"
            return flat if len(flat) < 100 else "[\n" + "".join(f"    {part},\n" for part in parts) + "]"
        case dt.date():
            return value.isoformat()
        case _:
            return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    print(draft(sys.argv[1]))
