{#- The current submissions' Parquet files of one record type. The zero-row file of the contract
    comes first: it gives names and types, and a landing older than a column reads it as NULL.
    `with_path` adds the file of each row, for files that do not name their submission. -#}
{%- macro landing(kind, record_type, with_path=false) -%}
    {%- set inputs = env_var("TIPSTAT_BUILD_DIR", "") ~ "/inputs" -%}
    {%- set files = [inputs ~ "/contract/" ~ kind ~ "_" ~ record_type ~ ".parquet"] -%}
    {%- if execute -%}
        {%- set listed = run_query(
            "select path from read_parquet('" ~ inputs ~ "/landing_file.parquet')"
            ~ " where kind = '" ~ kind ~ "' and record_type = '" ~ record_type ~ "'"
            ~ " order by submission_id, path"
        ) -%}
        {%- for row in listed -%}
            {%- do files.append(row[0]) -%}
        {%- endfor -%}
    {%- endif -%}
    select
        landed.*
        {%- if with_path %},
        {{ scanned_path("landed") }} as landing_path
        {%- endif %}
    from {{ parquet_scan(files, with_path) }} as landed
{%- endmacro -%}


{#- One snapshot of the registry or of the build, written before dbt starts. -#}
{%- macro build_input(name) -%}
    {%- set inputs = env_var("TIPSTAT_BUILD_DIR", "") ~ "/inputs" -%}
    select snapshot.*
    from {{ parquet_scan([inputs ~ "/" ~ name ~ ".parquet"]) }} as snapshot
{%- endmacro -%}
