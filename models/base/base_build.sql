{{ build_input("build") }}
