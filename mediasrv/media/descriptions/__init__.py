"""Description files, without I/O: what a SMIL, TOML or M3U file says is played, when, and for whom."""
