{{ build_input("submission_entity") }}
