"""What several test files need: the application as a client sees it."""

import pytest
from flask.testing import FlaskClient

from plugin.app import create_app


@pytest.fixture(scope="session")
def client() -> FlaskClient:
    """A client of the application with its default settings; it keeps nothing between requests."""
    return create_app().test_client()
