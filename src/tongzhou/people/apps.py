from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Members, who invited whom, roles, addresses, consent."""

    name = "tongzhou.people"
    label = "people"
