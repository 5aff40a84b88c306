"""Side-by-side measurements: what we promise about speed and memory, each against a yardstick.

``python3 dev.py bench [a b …] [--quick] [--json FILE]``. Seconds differ from machine to machine,
ratios hardly: every figure is the ratio of two sides measured in the same run, each in a fresh
process of its own. The program itself never imports anything from here.
"""
