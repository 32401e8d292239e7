"""What a change of knowledge or rules means before it is put to use."""
