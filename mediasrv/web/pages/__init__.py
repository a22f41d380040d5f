"""
The pages for people: folders, films, sessions and errors, made on the server so that they work without a script.
"""
