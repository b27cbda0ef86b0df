{{ build_input("national_offence") }}
