"""CDS Hooks, spoken as a service: discovery, requests, prefetch, cards, errors.

Rule of this room: it knows the protocol and nothing of billing. It imports nothing else of ours.
"""
