"""The engine: frames and arrays in, frames and arrays out. No I/O, no Flask, no clock."""
