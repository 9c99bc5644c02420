"""A dashboard drawn from its JSON and live answers as one HTML page, for places where no Grafana runs."""
