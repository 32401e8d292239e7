"""Rules put to the proof on the real engine: stages, and hand-written cases."""
