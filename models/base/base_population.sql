{{ build_input("population") }}
