"""Attention Atlas, the web app and the command line."""
