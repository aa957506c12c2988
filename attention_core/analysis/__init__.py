"""Analyses: pure functions from traces to small frozen results, one file each."""
