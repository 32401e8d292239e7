"""What becomes of a run [审核落实]: its folder read again, tables for people, samples, decisions about findings; nothing here judges."""
