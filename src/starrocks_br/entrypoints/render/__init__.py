"""Text for people. Pure: values in, lines out."""
