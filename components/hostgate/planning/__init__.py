"""Planning: selection x mechanism x options -> objects, decisions, findings, limits, digest. Pure and deterministic."""
