{{ build_input("link_authorisation") }}
