"""The gallery: every screen of bntui, at four sizes and in four looks, from states of real runs."""
