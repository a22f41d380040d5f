"""Fragmented MP4 as HLS and Media Source Extensions take it: units in, init segments and media segments out."""
