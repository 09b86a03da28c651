"""The load laboratory: record what a site is asked, replay it to the letter, and compare what was measured."""
