"""RTP payload formats, one module per codec: units to payloads, payloads to units, SDP lines."""
