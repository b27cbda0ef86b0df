{{ build_input("reporting_entity") }}
