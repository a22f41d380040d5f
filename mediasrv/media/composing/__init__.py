"""Compositions: presentations made of clips of other files, one after the other and together."""
