"""Findings on units."""

from plugin.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        "units.too-many",
        "Too many units",
        "{what}: {support} support {to_units}, not {from}.",
        "{what} is billed with {from_units}; {support} support {to_units}.",
    ),
    Kind(
        "units.too-few",
        "Too few units",
        "{what}: {support} support {to_units}; only {from} billed.",
        "{what} is billed with {from_units}; {support} support {to_units}. If the recorded minutes are right, bill"
        " {to}.",
    ),
    Kind(
        "units.missing",
        "Units not stated",
        "{what}: state {to_units} for {support}.",
        "No units are stated for {what}; {support} support {to_units}.",
    ),
    Kind(
        "units.under-minimum",
        "Timed service under the minimum",
        "{what}: {minutes} minutes are too short to be billed.",
        "{what} took {minutes} minutes. A timed service needs at least {minimum} minutes for its first unit."
        " Do not bill it.",
    ),
    Kind(
        "units.untimed",
        "Untimed service with several units",
        "{what} is billed once a visit, not {from} times.",
        "{what} is not billed by time: whatever it took, it is {to} unit, and {from} are billed.",
    ),
    Kind(
        "units.minutes-unknown",
        "Minutes unknown",
        "Minutes are not recorded for {all}: units not checked.",
        "The units of {all} rest on minutes, and the record states none. Record the time of each service itself,"
        " as start and end or as minutes.",
    ),
    Kind(
        "units.minutes-disagree",
        "Minutes that contradict each other",
        "{what}: the record states {stated} minutes: units not checked.",
        "The record states the minutes of {what} in several places, and differently. Units were not checked. Correct"
        " the one that is wrong:",
    ),
    Kind(
        "units.minutes-overlap",
        "One-on-one minutes overlap",
        "{what} and {others} share {minutes} one-on-one minutes.",
        "The recorded times of {what} and {others} overlap by {minutes} minutes. One-on-one minutes belong to"
        " one service only. Correct the times, or bill the shared minutes once.",
    ),
    Kind(
        "units.tie",
        "A unit that can go to either service",
        "{all}: {to_units} together; you choose which service gets what is left.",
        "The {minutes} minutes of {all} support {to_units} together; billed are {from}. What is left after whole"
        " quarters of an hour is equal, so the clinician chooses where it goes.",
    ),
    Kind(
        "units.above-limit",
        "Units above the MUE",
        "{what}: {from_units} billed; Medicare's table allows {to} a {per}.",
        "{what} is billed with {from_units}; the medically unlikely edit (indicator {indicator}) allows {to} a {per}.",
    ),
    Kind(
        "units.cap",
        "Timed units above what the payer pays",
        "{count} timed units on one visit; this payer pays {limit}.",
        "{count} timed units stand on {all}; this payer pays {limit} a day. Which units to leave off is"
        " for you to say.",
    ),
    Kind(
        "units.above-total",
        "Units above the total minutes",
        "{all}: {from} timed units; the total of {minutes} minutes supports {to}.",
        "The note states {minutes} timed minutes for the whole visit, which support {to_units}; billed are"
        " {from} of {all}. Correct the units, or the total.",
    ),
    Kind(
        "units.totals-disagree",
        "Total minutes that do not agree",
        "The note totals {stated} {which} minutes; the services make {recorded}.",
        "The note states {stated} {which} minutes for the whole visit, and the minutes recorded of the"
        " services make {recorded}. Correct one of the two before the units are relied on.",
    ),
)
