"""What a campaign's numbers say of the factors: lifts with intervals, the winner or "not yet", the next round."""
