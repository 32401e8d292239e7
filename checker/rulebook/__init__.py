"""Rules [规则]: one TOML file each, read, checked, locked and explained."""
