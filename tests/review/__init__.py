"""What a change of plans opens and closes, the guards over it, the pin, and the comment."""
