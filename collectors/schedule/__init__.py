"""The schedule of the operating system: what it should have, what it has, how the one becomes the other."""
