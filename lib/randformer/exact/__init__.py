"""Values that are proved: games with certificates, propositions."""
