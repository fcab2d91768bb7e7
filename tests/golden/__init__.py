"""Golden files: what each mechanism makes of the vendor's catalog, byte for byte."""
