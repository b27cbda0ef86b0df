{#- Columns of one relation, given as a list or as text joined by commas. -#}
{%- macro prefixed(alias, columns) -%}
    {%- for column in (columns.split(",") if columns is string else columns) -%}
        {{ alias }}.{{ column }}{{ ",\n            " if not loop.last }}
    {%- endfor -%}
{%- endmacro -%}


{#- The join condition of two relations over columns of the same names, joined by commas. -#}
{%- macro matching(one, other, columns) -%}
    {%- for column in columns.split(",") -%}
        {{ one }}.{{ column }} = {{ other }}.{{ column }}
        {{- "\n            and " if not loop.last -}}
    {%- endfor -%}
{%- endmacro -%}
