"""The stand-alone protocol of ZKTeco (中控) terminals, port 4370, TCP and UDP: the reading side.

Marks in the docstrings: §1 frame, §2 codes, §3 key, §4 time, §5 options, §6 counts, §7 bulk reads
and records, §8 events, §10 methods, §11 limits and recovery.
All integers on the wire are little-endian.
"""
