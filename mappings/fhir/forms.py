"""Answered forms: what they belong to, which questions they answer, and the minutes and days that answers state."""

import datetime as dt
import re

import msgspec

from mappings.fhir import coding
from mappings.fhir.dates import day_of
from mappings.fhir.reader import Records
from mappings.fhir.resources import Answer, QuestionnaireResponse, ResponseItem

ACTUAL_TIME = "actual_time"
ASSISTANT_TIME = "assistant_time"
USED_PT_SLP = "mcr.used_pt_slp"
USED_OT = "mcr.used_ot"
AMOUNTS = (USED_PT_SLP, USED_OT)

NO_ANSWER = frozenset(
    {"", "-", "--", "?", "n/a", "na", "nil", "no", "none", "not applicable", "not documented", "tbd", "unknown"}
)
"""What stands in a field of a form that nobody answered, lower case."""

NOT_CHOSEN = NO_ANSWER | {"n", "false"}
"""What is chosen of a list to say no."""

LONGEST_NO_ANSWER = 20

_MINUTES = re.compile(r"^\s*(\d{1,3})\s*(?:m|min|mins|min\.|minutes?)?\s*$", re.IGNORECASE)
_DATE = re.compile(r"\b(?:(\d{4})-(\d{2})-(\d{2})|(\d{1,2})/(\d{1,2})/(\d{4}))\b")


class Form(msgspec.Struct, frozen=True):
    """An answered form: which documentation elements it answers and how, what it belongs to, when it was written."""

    ref: str
    belongs_to: frozenset[str]
    encounter: str
    answered: frozenset[str]
    answers: dict[str, Answer]
    authored: str


def forms_of(records: Records) -> list[Form]:
    """The answered documentation forms of the patient."""
    forms = []
    for response in records.all(QuestionnaireResponse):
        name = f"QuestionnaireResponse/{response.id or '?'}"
        if response.status in ("entered-in-error", "stopped"):
            continue
        answers: dict[str, Answer] = {}
        _read_answers(response.item, answers)
        about = [f"Procedure/{records.id_of(one, 'Procedure')}" for one in response.part_of]
        about += [f"ServiceRequest/{records.id_of(one, 'ServiceRequest')}" for one in response.based_on]
        belongs_to = frozenset([one for one in about if not one.endswith("/")])
        here = records.id_of(response.encounter, "Encounter")
        forms.append(Form(name, belongs_to, here, frozenset(answers), answers, response.authored or ""))
    return forms


def _read_answers(items: list[ResponseItem], found: dict[str, Answer]) -> None:
    """The answers that really are some, by linkId."""
    for item in items:
        for answer in item.answer:
            words = answer.value_string
            if words is not None:
                if len(words) > LONGEST_NO_ANSWER or words.strip().rstrip(".").lower() not in NO_ANSWER:
                    found.setdefault(item.link_id, answer)
            elif _says_something(item.link_id, answer):
                found[item.link_id] = answer
            if answer.item:
                _read_answers(answer.item, found)
        if item.item:
            _read_answers(item.item, found)


def _says_something(link: str, answer: Answer) -> bool:
    """Whether an answer that is no text is one: "no", an empty coding, and a measure of anything but time are none."""
    if answer.value_boolean or answer.value_integer is not None or answer.value_decimal is not None:
        return True
    if answer.value_date or answer.value_date_time:
        return True
    chosen, quantity = answer.value_coding, answer.value_quantity
    if chosen is not None and (chosen.display or chosen.code or "").strip().lower() not in NOT_CHOSEN:
        return True
    return quantity is not None and (link in AMOUNTS or coding.minutes_of(quantity) is not None)


def minutes_stated(form: Form, link: str) -> int | None:
    """The minutes that the answer to a question states; None where it states none."""
    answer = form.answers.get(link)
    if answer is None:
        return None
    if answer.value_string is not None:
        stated = _MINUTES.match(answer.value_string)
        return int(stated[1]) if stated else None
    if answer.value_quantity is not None:
        return coding.minutes_of(answer.value_quantity)
    number = answer.value_integer if answer.value_integer is not None else answer.value_decimal
    return int(number) if number is not None and number >= 0 else None


def day_stated(answer: Answer) -> dt.date | str | None:
    """The day that an answer names, also in words; None where it names none, the text where it names no whole one."""
    text = answer.value_date or answer.value_date_time
    if text:
        return day_of(text) or text
    found = _DATE.search(answer.value_string or "")
    if found is None:
        return None
    year, month, day = found[1] or found[6], found[2] or found[4], found[3] or found[5]
    return day_of(f"{year}-{month:0>2}-{day:0>2}") or found[0]
