"""Findings on documentation."""

from plugin.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        "documentation.missing",
        "Documentation missing",
        "{what}: {count_elements} missing from the record.",
        "The record of {what} lacks:",
    ),
    Kind(
        "documentation.visit-missing",
        "Documentation of the visit missing",
        "The visit: {count_elements} missing from the record.",
        "The record of the visit lacks:",
    ),
)
