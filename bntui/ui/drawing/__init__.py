"""Charts and strips as text: the pictures that widgets show."""
