"""Names of the profiles: how large everything is that is trained."""

PROFILES = ("smoke", "laptop", "paper")
