"""What a training step costs here, beside what others would write; README.md says how to run and read it."""
