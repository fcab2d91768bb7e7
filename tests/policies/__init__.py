"""The policy pack: every rule asked of the real pack process, and the parts it is made of."""
