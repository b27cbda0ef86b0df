with offences as (
    select * from {{ ref("base_national_offence") }}
),

renamed as (
    select
        -- codes
        area,
        offence_code,
        iccs_code,
        relation,
        -- dates: an open end is as far away as a date can be
        coalesce(cast(nullif(valid_from, '') as date), cast('0001-01-01' as date)) as valid_from,
        coalesce(cast(nullif(valid_to, '') as date), cast('9999-12-31' as date)) as valid_to
    from offences
)

select * from renamed
