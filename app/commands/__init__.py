"""What each command of attention-atlas does, one file a command or a pair that belongs together."""
