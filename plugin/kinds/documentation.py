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
        "{what}: {count_elements} not found; the visit's notes could not be read.",
        "What was sent of {what} does not show these. The visit's notes may, and were not sent or cannot be read:",
    ),
    Kind(
        "documentation.visit-not-seen",
        "Documentation of the visit not seen",
        "The visit: {count_elements} not found; its notes could not be read.",
        "What was sent of the visit does not show these. Its notes may, and were not sent or cannot be read:",
    ),
)
