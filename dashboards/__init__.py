"""Grafana dashboards and alert rules as code: what is built here is what is checked in under `json` and `provisioning`."""
