"""Speed, measured. Every figure is a median, or a ratio of two things measured in the same run."""
