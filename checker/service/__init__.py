"""The service at the counter: HTTP, the national messages, what was shown and answered, and the audit log."""
