select * from read_parquet('{{ env_var("TIPSTAT_BUILD_DIR") }}/inputs/build.parquet')
