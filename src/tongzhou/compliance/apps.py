from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    """The rule engine that refuses unlawful plans, and the sign-offs it asks for."""

    name = "tongzhou.compliance"
    label = "compliance"
