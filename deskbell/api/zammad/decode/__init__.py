"""From the wire: parameters, values, and what a body asks for."""
