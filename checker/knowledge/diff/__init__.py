"""What two knowledge bases say differently."""
