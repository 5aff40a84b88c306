"""Day arithmetic, findings, explanations and the construction calendar."""
