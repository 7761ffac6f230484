"""What must hold when mesibo, the database, the SMS network or the server itself fails."""
