"""How a picture was made, as other people's tools write it into their files."""
