"""The ways out: which route a message takes, handing it over, and what is heard of it later."""
