"""The JSON API of the web door, which C{openapi.json} describes."""
