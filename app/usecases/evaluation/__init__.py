"""Did it work: what is asked, worked out, kept and said of an intervention in zones."""
