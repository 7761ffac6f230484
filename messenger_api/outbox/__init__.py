"""What follows a commit: tasks, how they are tried again, and what does them. Knows no subject."""
