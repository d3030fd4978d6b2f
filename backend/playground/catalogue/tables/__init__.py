"""Tables of one's own: a file in, columns to learn from out."""
