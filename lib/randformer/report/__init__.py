"""From evaluations to verdicts, tables and figures, and the notebooks' execution."""
