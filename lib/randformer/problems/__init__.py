"""What a network can learn here, a folder each: the task, its fast path, its exact game."""
