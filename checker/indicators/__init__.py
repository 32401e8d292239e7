"""Statistics [指标]: the national indicators and those of a monthly data release, from the inputs of a scan."""
