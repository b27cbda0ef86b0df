{#- Every seed column is text: 001, 0204 and Namibia's NA survive. DuckDB's COPY then fills the
    table straight from the CSV; only the types of the table are decided here. -#}
{%- macro default__create_csv_table(model, agate_table) -%}
    {%- set sql -%}
        create table {{ this.render() }} (
            {%- for name in agate_table.column_names %}
            {{ adapter.quote(name | string) }} varchar{{ "," if not loop.last }}
            {%- endfor %}
        )
    {%- endset -%}
    {%- call statement("_") -%}
        {{ sql }}
    {%- endcall -%}
    {{ return(sql) }}
{%- endmacro -%}
