"""
The checks, a module for each section of what is demanded. Importing this registers all of them, in this order.

What a check demands is said where it is registered, in the sentence that the report prints.
"""

from mediasrv.conform.checks import (  # noqa: I001  the order of the report
    syntax,
    connections,
    describing,
    sessions,
    transports,
    playing,
    ranges,
    rates,
    queueing,
    pausing,
    teardown,
    parameters,
    states,
    headers,
    rtpinfo,
    rtpstream,
    interleaved,
    timeouts,
    rtcp,
    sdp,
)

__all__ = [
    "connections",
    "describing",
    "headers",
    "interleaved",
    "parameters",
    "pausing",
    "playing",
    "queueing",
    "ranges",
    "rates",
    "rtcp",
    "rtpinfo",
    "rtpstream",
    "sdp",
    "sessions",
    "states",
    "syntax",
    "teardown",
    "timeouts",
    "transports",
]
