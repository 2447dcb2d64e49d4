"""The paper's tasks, a module each: drawing inputs, building tokens, the loss, reading answers off the output."""
