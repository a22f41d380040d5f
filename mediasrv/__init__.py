"""A streaming media server for Twisted: RTSP and RTP from a folder of files."""

__version__ = "0.1.0"
