"""The month grid with its whys, findings, explanations and the construction calendar."""
