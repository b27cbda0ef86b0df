select cast('{{ env_var("TIPSTAT_TEST_BROKEN", "1") }}' as integer) as number
