"""What several pages draw: formats, badges, the collect button. Given data, never fetching any."""
