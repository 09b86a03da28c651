"""The commands of `plaza replay`, one file each."""
