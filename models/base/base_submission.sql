{{ build_input("submission") }}
