"""The checks of the Helm chart; scripts/check-chart runs them."""
