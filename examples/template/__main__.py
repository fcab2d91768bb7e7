from hostgate.program import run

run()
