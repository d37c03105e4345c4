"""What making pictures costs: prices that people state, and plans from what this machine was measured to need."""
