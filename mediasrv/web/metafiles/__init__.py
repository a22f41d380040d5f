"""Meta files: small files that name the URLs of presentations, for a browser to hand over to a player."""
