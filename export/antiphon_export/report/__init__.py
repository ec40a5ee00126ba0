"""The musical report: what a generator answers, beside how real music goes on. It trains and exports nothing."""
