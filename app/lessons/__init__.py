"""Lessons to read: their file format, how text becomes HTML, and the shelf that they stand on."""
