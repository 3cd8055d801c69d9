"""What VisitCue is measured against: a bare Flask route that parses the body and returns a ready answer."""

import json
import os
from pathlib import Path

from flask import Flask, Response, request


def create_app() -> Flask:
    """The bare application; it answers with the bytes of the file that BENCH_ANSWER names."""
    app = Flask(__name__)
    answer = Path(os.environ["BENCH_ANSWER"]).read_bytes()

    @app.post("/bare")
    def bare() -> Response:
        json.loads(request.get_data())
        return Response(answer, mimetype="application/json")

    return app
