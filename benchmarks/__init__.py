"""How fast Handrail is, beside what one would take instead. It measures and reports; it asserts nothing."""
