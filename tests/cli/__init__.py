"""The command line as a stranger has it: shapes of results, exit codes, what stands where."""
