"""What travels: records, and how to read them. Pure: no I/O, no clock."""
