"""Facts of suppliers: none travel yet."""
