"""The doctor: looks at everything that a morning depends on, and says what is so and what to do."""
