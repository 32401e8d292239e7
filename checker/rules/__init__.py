"""The life of rules: scaffolds, cases in words, pages, differences, and the lock that holds versions to contents."""
