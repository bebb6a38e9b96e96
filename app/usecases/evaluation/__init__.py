"""Did it work: what is requested, worked out, kept and stated of an intervention in zones."""
