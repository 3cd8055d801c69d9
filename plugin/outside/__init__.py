"""Calls to other people's servers. The only package that imports requests."""
