"""Files to units. The only package that imports PyAV; it knows no network."""
