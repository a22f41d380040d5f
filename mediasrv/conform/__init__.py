"""
A black-box conformance checker for RTSP servers, ours and anybody's: C{python -m mediasrv.conform URL}.

It is a client that says what the RFCs allow, now and then what they forbid, and judges what comes back: replies, RTP,
RTCP. It blocks, runs without a reactor, and knows nothing of the server but its URL. docs/conform.rst tells how to
read what it says.
"""
