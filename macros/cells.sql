{#- What tells one series of reported cells from another, besides the entity. -#}
{%- macro reported_series() -%}
indicator,reference_area,period,source_type,status_scope,counting_basis,unit_of_count
{%- endmacro -%}


{#- Units that are counted as such: their basis is named like the unit. All others are persons. -#}
{%- macro own_basis_units() -%}
'EVENT', 'OFFENCE', 'DECISION', 'SERVICE', 'REFERRAL', 'CONTACT', 'CONTACT_PERSON'
{%- endmacro -%}


{#- Kinds of cell without a number, from what says least to what says most about a gap in a sum. -#}
{%- macro gap_kinds() -%}
NOT_APPLICABLE,NOT_COLLECTED,WITHHELD_HERE,WITHHELD_AT_SOURCE,NOT_STATED,NOT_KNOWN,NOT_RECEIVED
{%- endmacro -%}


{%- macro gap_rank(cell_kind) -%}
    case {{ cell_kind }}
        {%- for kind in gap_kinds().split(",") %}
        when '{{ kind }}' then {{ loop.index }}
        {%- endfor %}
        else {{ gap_kinds().split(",") | length }}
    end
{%- endmacro -%}


{%- macro gap_kind(rank) -%}
    case {{ rank }}
        {%- for kind in gap_kinds().split(",") %}
        when {{ loop.index }} then '{{ kind }}'
        {%- endfor %}
    end
{%- endmacro -%}
