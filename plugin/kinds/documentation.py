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
    Kind(
        "documentation.not-seen",
        "Documentation not seen",
        "The visit's notes were not read: {count_elements} not found in what was sent.",
        "What was sent of the visit does not show these. Its notes may, and were not sent or cannot be read:",
    ),
)
