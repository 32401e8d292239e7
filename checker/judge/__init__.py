"""From base columns to findings: clauses run, exemptions weighed, levels settled; the only judge there is."""
