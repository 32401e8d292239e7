"""The counter [事前提醒]: one prescription or sale in, the answer before it is made."""
