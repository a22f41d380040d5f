"""What moves media in time: the fragment cache's user, players and the pacer."""
