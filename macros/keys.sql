{#- Surrogate key: md5 of the parts with a separator; a NULL part differs from an empty one.
    The first part is a literal that says what is identified. -#}
{%- macro key(domain, columns) -%}
    md5(concat_ws('|', '{{ domain }}'
        {%- for column in columns -%}
        , coalesce(cast({{ column }} as string), '~')
        {%- endfor -%}
    ))
{%- endmacro -%}


{#- Whether a coded column says nothing: one of the in-band missing codes, or NULL. -#}
{%- macro is_missing(column) -%}
    coalesce({{ column }}, '_N') in ('_U', '_X', '_N', '_Z', '_I')
{%- endmacro -%}


{#- A code as figures show it: every missing kind is "not known". -#}
{%- macro or_unknown(column) -%}
    case when {{ is_missing(column) }} then '_U' else {{ column }} end
{%- endmacro -%}


{#- Group of source types to which a type of reporting entity belongs. -#}
{%- macro source_type(entity_type) -%}
    case
        when {{ entity_type }} = 'POLICE' then 'police'
        when {{ entity_type }} = 'BORDER' then 'border'
        when {{ entity_type }} = 'PROSECUTION' then 'prosecution'
        when {{ entity_type }} = 'COURT' then 'court'
        when {{ entity_type }} in ('SOCIAL', 'HEALTH', 'EDUCATION', 'NGO', 'HOTLINE', 'LEGAL')
            then 'service'
        when {{ entity_type }} = 'INTERNATIONAL' then 'international'
        else 'other'
    end
{%- endmacro -%}
