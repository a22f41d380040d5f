"""The RTSP door: RFC 2326 messages, connections and session states."""
