"""Finds plugins, checks what they declare, makes their players."""
