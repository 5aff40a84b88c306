"""The invented site: people, punches and papers of nobody, through real emulated terminals."""
