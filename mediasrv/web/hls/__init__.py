"""HTTP Live Streaming (RFC 8216) of files: playlists, and segments of fragmented MP4 made when they are asked for."""
