"""The panel of one meeting on the staff's desk: composed, promoted, its answers prepared. Room: applications."""
