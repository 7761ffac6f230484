"""What follows a commit."""
