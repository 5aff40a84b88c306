"""Project, companies, staff, teams, rule pack, holidays and the code tables."""
