"""What is read out of headlines for the news pipeline: one link, one story, topics, names, the brief. All is
pure: no network, no clock, no store.
"""
