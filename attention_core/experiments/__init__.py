"""Experiments: functions that run a model again, with progress, and can be cancelled."""
