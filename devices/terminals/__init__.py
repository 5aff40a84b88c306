"""Attendance terminals (考勤机): what they said, as they said it."""
