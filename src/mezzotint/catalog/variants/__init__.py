"""What is made of each row: a balanced plan of the factors' levels, with ids and seeds that no other row changes."""
