"""One module a hook: the service as discovery announces it, and what of a request it reviews."""
