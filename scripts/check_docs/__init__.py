"""The checks of the documents; scripts/check-docs runs them."""
