"""Evidence: what was done, laid beside what NIST asks of those who make and use generative models."""
