"""The benchmark: our server, the floor it could reach at best, and the live peer, in one run.

``python -m bench`` (or ``bin/bench``) seeds all three with the same tickets, asks them in turn with
the same client, and prints requests per second, latencies and the ratios between them.
"""
