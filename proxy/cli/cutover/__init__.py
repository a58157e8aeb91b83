"""`crossfade cutover`: where routes stand, what a change would mean, changing it, taking it back, and why."""
