{{ build_input("landing_file") }}
