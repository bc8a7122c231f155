"""Trains and measures. Never imports textual, rich or `bntui.ui`."""
