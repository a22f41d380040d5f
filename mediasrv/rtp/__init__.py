"""RTP and RTCP packets, SDP, time lines, and what sends bursts to clients."""
