"""Company roll-up: a signed, sealed copy of a book for head office, and the shelf it is kept on."""
